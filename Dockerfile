# The collector with its embedded store. `npm run image` stages the files to copy, and builds the image. Run
# it with a read-only root: docker run --read-only --tmpfs /tmp -v candor:/data -p 127.0.0.1:7226:7226 candor
FROM node:26-bookworm-slim
WORKDIR /app
COPY . .
RUN install -d -o 1000 -g 1000 -m 700 /data
ENV NODE_ENV=production CANDOR_DATA_DIR=/data CANDOR_HOST=0.0.0.0
USER 1000:1000
VOLUME /data
EXPOSE 7226
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:7226/readyz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "packages/cli/bin/candor.js", "start"]
