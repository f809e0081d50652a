# Stands in for nginx:1.28-bookworm: fills in the templates' variables as that image does, then runs nginx.
FROM candor-rig-base
RUN rm -rf /etc/nginx/sites-enabled /etc/nginx/conf.d/* /usr/share/nginx/html/* && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
CMD ["sh", "-c", "for template in /etc/nginx/templates/*.template; do envsubst \"$(env | sed 's/=.*//; s/^/$/' | tr '\\n' ' ')\" <$template >/etc/nginx/conf.d/$(basename $template .template); done; exec nginx -g 'daemon off;'"]
