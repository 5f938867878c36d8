"""A replica in a process of its own: claims one delivery, says which, and never ends."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta

from kubeci.store.database import database
from kubeci.store.inbox import SqlInbox


async def claim(address: str, replica: str, moment: datetime) -> None:
    async with database(address) as stored:
        claimed = await SqlInbox(stored, replica).claim(moment, moment + timedelta(seconds=1))
        sys.stdout.write(f"{claimed and claimed.id}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(claim(sys.argv[1], sys.argv[2], datetime.fromisoformat(sys.argv[3])))
