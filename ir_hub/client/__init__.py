"""Typed Python clients of a hub.

with HubClient("127.0.0.1:50051", LocalStore(Path("cache"))) as hub:
    files = hub.upload([Path("model.onnx")])
    conversion = hub.create(hub_pb2.ConversionSpec(files=files, target="pytorch"))
    for conversion in hub.watch(conversion.name):
        print(conversion.state)
    hub.download(conversion.files, Path("out"))

AsyncHubClient has the same calls for asyncio. A hub beyond this machine is reached by
Access(ca=..., token_file=...), from ir_hub.sdk.security.
"""

from ir_hub.client.aio import AsyncHubClient
from ir_hub.client.answers import ENDED
from ir_hub.client.sync import HubClient

__all__ = ["ENDED", "AsyncHubClient", "HubClient"]
