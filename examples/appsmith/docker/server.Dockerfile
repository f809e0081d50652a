# The product's server: one bundled file and the plan beside it.
FROM node:26-bookworm-slim
WORKDIR /app
COPY server.mjs plan.mjs health.mjs ./
ARG VERSION
ENV APPSMITH_VERSION=$VERSION NODE_ENV=production
USER node
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "health.mjs"]
CMD ["node", "server.mjs"]
