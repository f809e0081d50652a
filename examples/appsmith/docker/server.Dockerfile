# The product's server: one bundled file and the plan beside it.
FROM node:26-bookworm-slim
WORKDIR /app
COPY server.mjs plan.mjs ./
ARG VERSION
ENV APPSMITH_VERSION=$VERSION NODE_ENV=production
USER node
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/api/v1/health').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "server.mjs"]
