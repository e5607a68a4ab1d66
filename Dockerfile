# One image with the whole program, node daemon and warmer: the bundle, and the Node that package.json pins. Serves the node daemon by default.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
# npm fetches Node itself, as package.json pins it; any Node that npm runs on will do here.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates nodejs npm
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run -s bundle && rm -f dist/lib/shoal/*.map && cp "$(readlink -f node_modules/.bin/node)" dist/node

FROM ${BASE}
COPY --from=build /src/dist /usr/lib/shoal
COPY packaging/scripts/shoal /usr/bin/shoal
COPY packaging/config /etc/shoal
# For what runs without a containerd to serve: mirror and peers, the warmer. The content store of containerd has to be root.
RUN mkdir -p /var/lib/shoal /run/shoal && chown 65532:65532 /var/lib/shoal /run/shoal && shoal --version
USER 65532:65532
ENTRYPOINT ["/usr/bin/shoal"]
CMD ["serve", "--config", "/etc/shoal/shoal.toml"]
