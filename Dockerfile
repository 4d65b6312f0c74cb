# One image for web, workers and beat; PostgreSQL and Redis are images of their own.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 arbsite
WORKDIR /srv/arbsite
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY --chown=arbsite . .
RUN mkdir -p /var/lib/arbsite && chown arbsite /var/lib/arbsite

USER arbsite
ENV PYTHONUNBUFFERED=1 DATA_DIR=/var/lib/arbsite DATASET=run WEB_HOST=0.0.0.0
EXPOSE 8600
CMD ["python", "-m", "gunicorn", "arbsite.asgi:application", "--bind=0.0.0.0:8600", \
     "--worker-class=uvicorn_worker.UvicornWorker", "--workers=2", "--no-control-socket"]
