"""Reads a pinned BPF map without the product's help: a second opinion on when a change is in the kernel."""

import ctypes
import os

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS_BPF = 321  # x86-64
_LOOKUP, _NEXT_KEY, _OBJ_GET = 1, 4, 7
_RDONLY = 8  # BPF_F_RDONLY


class _Path(ctypes.Structure):
    _fields_ = [("path", ctypes.c_uint64), ("fd", ctypes.c_uint32), ("flags", ctypes.c_uint32)]


class _Element(ctypes.Structure):
    _fields_ = [("fd", ctypes.c_uint32), ("pad", ctypes.c_uint32), ("key", ctypes.c_uint64), ("value", ctypes.c_uint64),
                ("flags", ctypes.c_uint64)]


def _bpf(command, attributes):
    return _LIBC.syscall(_SYS_BPF, command, ctypes.byref(attributes), ctypes.sizeof(attributes))


class PinnedMap:
    """A map with 4-byte keys."""

    def __init__(self, path, value_size):
        text = ctypes.create_string_buffer(path.encode())
        self.fd = _bpf(_OBJ_GET, _Path(ctypes.addressof(text), 0, _RDONLY))
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        self._key = ctypes.c_uint32()
        self._value = ctypes.create_string_buffer(value_size)
        self._attributes = _Element(self.fd, 0, ctypes.addressof(self._key), ctypes.addressof(self._value), 0)

    def get(self, key):
        """The value's bytes, or None."""
        self._key.value = key
        return self._value.raw if _bpf(_LOOKUP, self._attributes) == 0 else None

    def items(self):
        key, following = ctypes.c_uint32(), ctypes.c_uint32()
        step = _Element(self.fd, 0, 0, ctypes.addressof(following), 0)
        while _bpf(_NEXT_KEY, step) == 0:
            key.value = following.value
            step.key = ctypes.addressof(key)
            value = self.get(key.value)
            if value is not None:
                yield key.value, value

    def close(self):
        os.close(self.fd)
