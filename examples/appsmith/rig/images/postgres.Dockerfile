# Stands in for postgres:15-bookworm: creates the database named in the environment on the first start, and
# serves it.
FROM candor-rig-base
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
RUN install -d -o postgres -g postgres /var/run/postgresql "$PGDATA" && rm -rf /var/lib/postgresql/15
COPY postgres.sh /
USER postgres
VOLUME /var/lib/postgresql/data
CMD ["sh", "/postgres.sh"]
