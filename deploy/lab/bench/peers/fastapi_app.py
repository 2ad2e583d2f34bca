# mypy: ignore-errors
"""The bare endpoint: one INSERT for each request. Runs in the peers' own environment, imports nothing of ours."""

import os
import uuid
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel

POOL = int(os.environ["BENCH_POOL"])


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(os.environ["BENCH_DATABASE_URL"], min_size=POOL, max_size=POOL)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


class Text(BaseModel):
    sender: str
    body: str


@app.post("/sms")
async def sms(text: Text):
    key = uuid.uuid4()
    await app.state.pool.execute(
        "INSERT INTO bench_text (id, sender, body) VALUES ($1, $2, $3)", key, text.sender, text.body
    )
    return {"id": str(key)}
