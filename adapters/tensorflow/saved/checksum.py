"""CRC-32C, the checksum that TensorFlow keeps of blocks and tensors, at the speed of NumPy."""

from __future__ import annotations

import numpy as np

Words = np.ndarray[tuple[int], np.dtype[np.uint32]]

_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_LANES = 1 << 14  # pieces that are summed side by side
_STEP = 64  # words of each that are turned about at once
_WORD = 4  # bytes
_BITS = np.arange(32, dtype=np.uint32)


def masked(data: bytes | memoryview) -> int:
    """The checksum of some bytes, as TensorFlow stores it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def crc32c(data: bytes | memoryview) -> int:
    """The CRC-32C of some bytes."""
    words = len(data) // (_LANES * _WORD)
    body = words * _LANES * _WORD if words >= _STEP else 0
    register = _START
    if body:
        register = _side_by_side(np.frombuffer(data[:body], "<u4").reshape(_LANES, words))
    for byte in bytes(data[body:]):
        register = _BY_BYTE[(register ^ byte) & 0xFF] ^ register >> 8
    return register ^ _START


def _side_by_side(lanes: np.ndarray[tuple[int, int], np.dtype[np.uint32]]) -> int:
    """The register after all lanes, each of which follows the one before it.

    A register is linear in what it starts from, so all lanes but the first start from zero, and
    what they follow is added by moving it past as many zero bytes.
    """
    registers = np.zeros(len(lanes), np.uint32)
    registers[0] = _START
    for start in range(0, lanes.shape[1], _STEP):
        for column in np.ascontiguousarray(lanes[:, start : start + _STEP].T):
            registers ^= column
            registers = _LOW[registers & 0xFFFF] ^ _HIGH[registers >> np.uint32(16)]
    move = _past_zeros(lanes.shape[1] * _WORD)
    while len(registers) > 1:
        registers = _moved(move, registers[0::2]) ^ registers[1::2]
        move = _moved(move, move)
    return int(registers[0])


def _past_zeros(count: int) -> Words:
    """What moving past zero bytes makes of each bit of a register."""
    found, power = np.uint32(1) << _BITS, _past_zero_byte()
    while count:
        if count & 1:
            found = _moved(power, found)
        power, count = _moved(power, power), count >> 1
    return found


def _past_zero_byte() -> Words:
    found = np.uint32(1) << _BITS
    for _ in range(8):
        found = np.where(found & 1, (found >> 1) ^ np.uint32(_POLYNOMIAL), found >> 1)
    return found.astype(np.uint32)


def _moved(move: Words, registers: Words) -> Words:
    bits = (registers[:, None] >> _BITS) & np.uint32(1)
    return np.bitwise_xor.reduce(bits * move, axis=1)


_START = 0xFFFFFFFF
_BY_BYTE = _moved(_past_zeros(1), np.arange(256, dtype=np.uint32)).tolist()
_HALVES = np.arange(1 << 16, dtype=np.uint32)
_LOW = _moved(_past_zeros(_WORD), _HALVES)
_HIGH = _moved(_past_zeros(_WORD), _HALVES << np.uint32(16))
