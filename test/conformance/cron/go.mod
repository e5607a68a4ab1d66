module github.com/shoal/shoal/test/conformance/cron

go 1.22

require (
	github.com/ringtail/go-cron v1.0.1-0.20201027122514-cfb21c105f50
	github.com/robfig/cron/v3 v3.0.1
)

require (
	github.com/satori/go.uuid v1.2.0 // indirect
	gopkg.in/check.v1 v1.0.0-20201130134442-10cb98267c6c // indirect
)
