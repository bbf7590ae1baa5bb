"""Where a run's records go: its spool, and the sender that delivers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ..delivery.courier import Courier
from ..delivery.sender import Sender, leftovers
from ..delivery.transport import Transport
from ..errors import SettingError
from ..notices import Notices
from ..settings import Settings
from ..spooling import spool
from ..spooling.records import Fields
from ..spooling.segments import SpoolWriter

_SEGMENT_BYTES = 4_000_000


class Outlet:
    """Makes the spool; starts the sender where the run is online.

    Raises:
        OSError: if no spool can be made.
        SettingError: in strict mode, where the address or `ca` is unusable. Otherwise the spool is kept unsent.
    """

    def __init__(self, run: str, settings: Settings, first: Fields, notices: Notices, strict: bool) -> None:
        self.directory: Path = spool.new_directory(settings.root, run)
        self.sender: Optional[Sender] = None
        self.courier: Optional[Courier] = None
        self._settings = settings
        self._notices = notices
        self._lock = spool.Lock.take(self.directory)
        spool.write_meta(self.directory, run, settings.url, settings.digits)
        self._writer = SpoolWriter(self.directory, min(_SEGMENT_BYTES, settings.spool_bytes // 16))
        self.append({"kind": "put", "put": first})
        if settings.mode != "online":
            return
        try:
            transport = Transport(settings.url, settings.token, settings.ca, settings.fingerprint)
        except SettingError as error:
            if strict:
                raise
            notices.once(f"{error}. Steps are kept in {self.directory}; `nnmonitor sync` can send them")
            return
        if settings.token and not transport.secure and transport.host not in ("localhost", "127.0.0.1", "::1"):
            notices.once(f"the token travels unencrypted to {transport.url}: use https:// on a shared network")
        self._start(run, transport)

    def _start(self, run: str, transport: Transport) -> None:
        settings, notices = self._settings, self._notices
        meta = spool.read_meta(self.directory)
        self.courier = Courier(self.directory, meta, transport, notices, self._writer, settings.spool_bytes)
        left = leftovers(settings.root, settings.url, self.directory)
        self.sender = Sender(
            self.courier, self._lock, transport, notices,
            before=[one for one in left if one[2]["run"] == run], others=[one for one in left if one[2]["run"] != run],
            open_courier=lambda directory, found: Courier(directory, found, transport, notices),
        )

    @property
    def failure(self) -> Optional[str]:
        """The refusal that sending met last, while it lasts."""
        return self.sender.failure if self.sender is not None else None

    def append(self, record: dict[str, Any], base: Optional[Fields] = None) -> None:
        """Writes a record to the spool; see `SpoolWriter.append`."""
        if not self._writer.append(record, base):
            self._notices.once(
                f"the spool {self.directory} cannot be written (is the disk full?): records are kept in memory and "
                "lost if this process dies",
                key="disk",
            )

    def close(self) -> bool:
        """Sends what is left, for at most `exit_timeout`. Returns whether all was delivered; the spool is then gone."""
        delivered = self.sender is not None and self.sender.close(self._settings.exit_timeout)
        self._writer.close()
        if self._writer.overflowing and not delivered:
            self._notices.once(f"{self._writer.waiting} records are lost: they could be neither stored nor sent")
        if self.sender is None and self._lock is not None:
            self._lock.release()
        return delivered

    def abandon(self) -> None:
        """In a forked child: closes the child's copies of descriptors."""
        closes = [self._writer.close]
        closes += [self._lock.release] if self._lock is not None else []
        closes += [self.sender.abandon] if self.sender is not None else []
        for close in closes:
            try:
                close()
            except OSError:
                pass
