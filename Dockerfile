# The server's image. Options alone run `kubeci serve`, as the original's image did:
#   docker build --tag kubeci . && docker run --publish 8080:8080 --volume "$PWD/secrets:/secrets:ro" kubeci \
#     -github.appid=12345 -keyfile=/secrets/github-key -secretfile=/secrets/webhook-secret -kubeconfig=/secrets/kubeconfig
FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements.lock requirements-dev.lock ./
# Wheels only: nothing is compiled, so that no compiler is needed here either.
RUN python -m venv --without-pip /opt/kubeci \
    && python -m pip --python /opt/kubeci/bin/python install --only-binary :all: --require-hashes -r requirements.lock
# The build backend, by hash as everything else; it stays in this stage.
RUN python -m pip install --only-binary :all: --require-hashes -r requirements-dev.lock
COPY . .
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m pip --python /opt/kubeci/bin/python install --no-deps --no-index /wheels/*.whl

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="kubeci" \
    org.opencontainers.image.description="Continuous integration for GitHub on Kubernetes and Argo Workflows" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="Apache-2.0"
# pip builds and installs; a server needs neither it nor the copy that Python can make it anew from.
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip \
    && python -c "import ensurepip, shutil; shutil.rmtree(ensurepip.__path__[0])" \
    && useradd --no-log-init --uid 65532 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin kubeci \
    && install --directory --owner=65532 --group=65532 /data
COPY --from=build /opt/kubeci /opt/kubeci
ENV PATH=/opt/kubeci/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# By number: Kubernetes' runAsNonRoot cannot tell who a name is.
USER 65532:65532
# The default store, kubeci.db, stands here: mount a volume that outlives the container. Nothing is written elsewhere.
WORKDIR /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# For the default port; an orchestrator asks /status itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); c.request('GET', '/status'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["kubeci"]
CMD ["serve"]
