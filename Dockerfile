# syntax=docker/dockerfile:1
# Build the wheel and an environment with the locked packages, then carry only that environment over.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/flakeguard
COPY requirements.lock ./
RUN /opt/flakeguard/bin/pip install --require-hashes -r requirements.lock
COPY . .
RUN pip install "hatchling>=1.27" && pip wheel --no-deps --no-build-isolation -w /tmp/wheel . \
    && /opt/flakeguard/bin/pip install --no-deps /tmp/wheel/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --create-home flakeguard
COPY --from=build /opt/flakeguard /opt/flakeguard
ENV PATH=/opt/flakeguard/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FLAKEGUARD_DATABASE_URL=sqlite:////data/flakeguard.db
WORKDIR /data
VOLUME /data
USER flakeguard
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["flakeguard"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
