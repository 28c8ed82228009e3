# The modules that scripts may import. Behind the walls no file can be opened, so that what needs files is loaded here; the rest is put on a shelf:
# its code is read now and run when a script imports it.
import importlib.machinery
import importlib.util
import marshal
import os
import sys

# What the files after this one need, and what lies in shared libraries.
NOW = """
    abc ast datetime decimal enum hashlib importlib.machinery io itertools json math os random re time types uuid zoneinfo
    _contextvars _decimal _hashlib _json _typing _uuid _zoneinfo
""".split()

SHELVED = """
    __future__ _colorize _compat_pickle _compression _markupbase _py_abc _pydatetime _pydecimal _strptime _weakrefset argparse base64 bisect
    calendar cmd codecs colorsys configparser contextlib contextvars copy copyreg csv dataclasses decimal difflib dis fileinput filecmp
    fnmatch fractions functools getopt gettext glob graphlib gzip hashlib heapq hmac imghdr inspect ipaddress keyword linecache locale
    mimetypes nturl2path numbers opcode operator optparse pathlib pickle pickletools platform plistlib pprint queue quopri random reprlib
    rlcompleter sched secrets selectors shlex shutil signal socket stat statistics string stringprep struct sysconfig tempfile textwrap
    threading timeit token tokenize traceback tracemalloc typing warnings wave weakref zipfile
""".split()

# Packages, each with all that it holds.
SHELVED_PACKAGES = """
    collections email email.mime html http importlib json logging pathlib re string urllib xml xml.dom xml.etree xml.parsers xml.sax zoneinfo
""".split()
ENCODINGS = """
    ascii base64_codec charmap cp1250 cp1251 cp1252 cp437 cp850 hex_codec idna iso8859_1 iso8859_15 iso8859_2 iso8859_9 koi8_r latin_1 punycode
    quopri_codec raw_unicode_escape rot_13 unicode_escape utf_16 utf_16_be utf_16_le utf_32 utf_32_be utf_32_le utf_7 utf_8 utf_8_sig
""".split()

# Where Debian's packages of Python modules lie; looked into for JMESPath alone.
PACKAGES = "/usr/lib/python3/dist-packages"


class Shelf:
    """Finds and loads what has been read, and says of the rest that it is not to be had."""

    code = {}
    packages = set()

    @classmethod
    def put(cls, folder, name):
        path = os.path.join(folder, *name.split("."))
        is_package = os.path.isfile(os.path.join(path, "__init__.py"))
        source = os.path.join(path, "__init__.py") if is_package else path + ".py"
        try:
            with open(importlib.util.cache_from_source(source), "rb") as file:
                cls.code[name] = file.read()[16:]
        except OSError:
            if not os.path.isfile(source):
                return
            with open(source, "rb") as file:
                cls.code[name] = marshal.dumps(compile(file.read(), source, "exec", dont_inherit=True))
        if is_package:
            cls.packages.add(name)

    @classmethod
    def put_package(cls, folder, name):
        inside = os.path.join(folder, *name.split("."))
        if not os.path.isdir(inside):
            return
        cls.put(folder, name)
        for file in os.listdir(inside):
            if file.endswith(".py") and file != "__init__.py":
                cls.put(folder, f"{name}.{file[:-3]}")

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in cls.code:
            return importlib.machinery.ModuleSpec(name, cls, is_package=name in cls.packages)
        root = name.partition(".")[0]
        there = f"{root}, but not this part of it" if root in sys.modules or root in cls.code else "json, re, datetime, math and their like"
        raise ModuleNotFoundError(
            f"the module '{name}' cannot be imported here: scripts have Python's own modules for data and text ({there}), and no others", name=name)

    @staticmethod
    def create_module(spec):
        return None

    @classmethod
    def exec_module(cls, module):
        exec(marshal.loads(cls.code[module.__name__]), module.__dict__)


def fill_shelf():
    import json

    folder = os.path.dirname(os.path.dirname(json.__file__))
    for name in SHELVED:
        Shelf.put(folder, name)
    for name in SHELVED_PACKAGES:
        Shelf.put_package(folder, name)
    for name in ENCODINGS:
        Shelf.put(folder, f"encodings.{name}")
    Shelf.put_package(PACKAGES, "jmespath")


def close_library():
    """From here on modules come from the interpreter itself and from the shelf."""
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.meta_path[:] = [importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, Shelf]


for name in NOW:
    try:
        importlib.import_module(name)
    except ImportError:
        # One that this version has built in, or no more.
        pass
fill_shelf()
