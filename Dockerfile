# syntax=docker/dockerfile:1
ARG BASE=denoland/deno:2.9.6
FROM ${BASE}

ENV DENO_DIR=/deno-dir DENO_NO_UPDATE_CHECK=1
RUN mkdir -p "${DENO_DIR}" && chown -R 1000:1000 "${DENO_DIR}"
WORKDIR /app

# By number, so that an orchestrator can see that it is not root; the sources stay root's.
USER 1000:1000

# Dependencies change less often than sources: with the lock file alone they stay cached.
COPY deno.json deno.lock ./
RUN deno ci --prod --skip-types --quiet

COPY main.ts ./
COPY lib ./lib
COPY routes ./routes
RUN deno install --quiet --entrypoint main.ts

# Another address than loopback wants FERRY_TOKEN: without it the container says so and ends.
ENV HOST=0.0.0.0 PORT=8080
EXPOSE 8080

STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
  CMD ["deno", "eval", "const r = await fetch(`http://127.0.0.1:${Deno.env.get('PORT')}/healthz`); Deno.exit(r.ok ? 0 : 1)"]

ENTRYPOINT ["deno", "run", "--cached-only", "--allow-net", "--allow-env", "--allow-read", "main.ts"]
