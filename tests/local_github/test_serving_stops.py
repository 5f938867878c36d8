from __future__ import annotations

import asyncio
import gc
import socket
import warnings

from starlette.applications import Starlette

from kubeci.local.serving import serving


async def test_a_connection_that_is_accepted_as_the_server_stops_is_closed() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for turns in range(8):
            async with serving(Starlette()) as url:
                client = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
                for _ in range(turns):
                    await asyncio.sleep(0)
            client.close()
            gc.collect()
    assert [str(each.message) for each in caught if each.category is ResourceWarning] == []
