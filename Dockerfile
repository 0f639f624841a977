# Rixin in a container: it runs as nobody in particular, and writes to /var/lib/rixin and /tmp only, so that the rest may
# be read-only.

FROM node:22-bookworm-slim AS console
WORKDIR /build/console
COPY console/package.json console/package-lock.json console/.npmrc ./
RUN npm ci --ignore-scripts
COPY console ./
RUN npm run build

FROM python:3.11-slim-bookworm AS build
WORKDIR /build
RUN python -m venv /opt/rixin
ENV PATH="/opt/rixin/bin:$PATH" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements/rixin.txt requirements/
RUN pip install --require-hashes --requirement requirements/rixin.txt
COPY requirements/build.txt requirements/
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes --requirement requirements/build.txt
COPY LICENSE README.md pyproject.toml hatch_build.py ./
COPY skills skills
COPY src src
COPY --from=console /build/src/rixin/web/static src/rixin/web/static
RUN /opt/build/bin/python -m hatchling build --target wheel --directory /build/dist \
    && pip install --no-deps /build/dist/*.whl

FROM python:3.11-slim-bookworm
# What the embedded engine needs of the system. Its version is the release's.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin rixin \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/rixin /var/lib/rixin-files
COPY --from=build /opt/rixin /opt/rixin
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
