# Stands in for node:26-bookworm-slim, which cannot be pulled here.
FROM candor-rig-base
COPY node /usr/local/bin/node
RUN useradd --uid 1000 --create-home node
CMD ["node"]
