// Prints what robfig/cron (and ringtail/go-cron, a fork of its first version) says about cron expressions: one question
// in JSON per line on stdin, one answer per line on stdout.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	first "github.com/ringtail/go-cron"
	"github.com/robfig/cron/v3"
)

type question struct {
	Expression string `json:"expression"`
	Dialect    string `json:"dialect"`
	Zone       string `json:"zone"`
	AfterMs    int64  `json:"afterMs"`
	Count      int    `json:"count"`
}

type answer struct {
	Times []int64 `json:"times"`
	Error string  `json:"error,omitempty"`
}

type schedule interface {
	Next(time.Time) time.Time
}

const fields = cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow

func parse(q question) (parsed schedule, err error) {
	// A zone prefix that nothing follows makes robfig slice out of bounds.
	defer func() {
		if caught := recover(); caught != nil {
			err = fmt.Errorf("panic: %v", caught)
		}
	}()
	switch q.Dialect {
	case "standard":
		return cron.ParseStandard(q.Expression)
	case "fields":
		return cron.NewParser(fields).Parse(q.Expression)
	case "seconds":
		return cron.NewParser(cron.Second | fields | cron.Descriptor).Parse(q.Expression)
	case "cron-hpa":
		return first.Parse(q.Expression)
	}
	return nil, fmt.Errorf("dialect %q is not known", q.Dialect)
}

func ask(q question) answer {
	result := answer{Times: []int64{}}
	location, err := time.LoadLocation(q.Zone)
	if err != nil {
		return answer{Times: []int64{}, Error: err.Error()}
	}
	parsed, err := parse(q)
	if err != nil {
		return answer{Times: []int64{}, Error: err.Error()}
	}
	at := time.UnixMilli(q.AfterMs).In(location)
	for range q.Count {
		at = parsed.Next(at)
		if at.IsZero() {
			break
		}
		result.Times = append(result.Times, at.UnixMilli())
	}
	return result
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<16), 1<<20)
	output := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := output.Encode(ask(q)); err != nil {
			panic(err)
		}
	}
}
