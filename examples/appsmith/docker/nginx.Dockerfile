# Serves the client and the browser SDK, and passes the rest to the server.
FROM nginx:1.28-bookworm
COPY default.conf.template /etc/nginx/templates/
COPY client/ /usr/share/nginx/html/
COPY candor/ /usr/share/nginx/candor/
