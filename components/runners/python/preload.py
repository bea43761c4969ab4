"""The parts of the standard library that programs find in the snapshot.

Everything pure that a function-sized program might import. Not here: what
needs threads, processes, sockets or files, and what would let a program fake
values that compare equal to everything (`unittest.mock`).
"""

import importlib

MODULES = """
abc argparse array ast asyncio base64 binascii bisect builtins calendar cmath
cmd code codecs collections collections.abc colorsys configparser contextlib
contextvars copy copyreg csv dataclasses datetime decimal difflib dis doctest
email enum errno fnmatch fractions functools gc genericpath getopt getpass
glob graphlib gzip hashlib heapq hmac html html.entities html.parser inspect
io ipaddress itertools json keyword linecache locale logging marshal math
mimetypes numbers opcode operator optparse os os.path pathlib pickle
pickletools pkgutil platform posixpath pprint queue quopri random re reprlib
runpy sched secrets select selectors shlex shutil signal socket sqlite3 ssl
stat statistics string stringprep struct subprocess symtable sys tempfile
textwrap threading time timeit token tokenize traceback
tracemalloc types typing unicodedata unittest urllib urllib.error
urllib.parse urllib.request uuid warnings weakref xml xml.etree.ElementTree
zipfile zlib zoneinfo _strptime _pydatetime _pydecimal _pylong encodings.ascii encodings.idna
encodings.latin_1 encodings.utf_16 encodings.utf_32 encodings.utf_8_sig
encodings.cp1252 encodings.unicode_escape encodings.raw_unicode_escape
encodings.hex_codec encodings.rot_13 encodings.base64_codec
concurrent.futures multiprocessing ctypes
"""

#: What this build of CPython does not have.
MISSING = []

for name in MODULES.split():
    try:
        importlib.import_module(name)
    except ImportError:
        MISSING.append(name)
