# One image with the whole program: the bundle, and the Node that package.json pins. Serves the node daemon by default.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates nodejs npm
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run -s bundle && cp "$(readlink -f node_modules/.bin/node)" dist/node

FROM ${BASE}
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /src/dist /usr/lib/shoal
RUN printf '#!/bin/sh\nexec /usr/lib/shoal/node /usr/lib/shoal/lib/shoal/shoal.mjs "$@"\n' > /usr/bin/shoal && chmod 0755 /usr/bin/shoal
ENTRYPOINT ["/usr/bin/shoal"]
CMD ["serve", "--config", "/etc/shoal/shoal.toml"]
