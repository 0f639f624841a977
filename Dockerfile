# Rixin in a container: it runs as nobody in particular, and writes to /var/lib/rixin and /tmp only, so that the rest may
# be read-only. What it needs is one layer, which changes with the lock; Rixin itself is another, which is small.

FROM node:22-bookworm-slim AS console
WORKDIR /build/console
COPY console/package.json console/package-lock.json console/.npmrc ./
RUN npm ci --ignore-scripts
COPY console ./
RUN npm run build

FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/rixin
COPY requirements/rixin.txt ./
RUN /opt/rixin/bin/pip install --require-hashes --requirement rixin.txt

FROM python:3.11-slim-bookworm AS wheel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/build
COPY requirements/build.txt ./
RUN /opt/build/bin/pip install --require-hashes --requirement build.txt
COPY LICENSE README.md pyproject.toml hatch_build.py ./
COPY skills skills
COPY src src
COPY --from=console /build/src/rixin/web/static src/rixin/web/static
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /build/dist

FROM python:3.11-slim-bookworm
# What the embedded engine needs of the system. Its version is the release's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin rixin \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/rixin /var/lib/rixin-files
COPY --from=packages /opt/rixin /opt/rixin
RUN --mount=type=bind,from=wheel,source=/build/dist,target=/mnt \
    /opt/rixin/bin/pip install --no-cache-dir --no-deps --no-index /mnt/*.whl
ENV PATH="/opt/rixin/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    RIXIN_DATA_DIR=/var/lib/rixin \
    RIXIN_HOST=0.0.0.0
USER 10001:10001
WORKDIR /var/lib/rixin
VOLUME /var/lib/rixin
EXPOSE 8700
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8700/health', timeout=4)"]
ENTRYPOINT ["rixin"]
CMD ["serve"]
