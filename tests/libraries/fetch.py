"""Fetches pure-Lua libraries and their tests: fetch.py DIRECTORY

They are packages of a Debian release, which apt-get downloads, at the versions below, by a copy of
this machine's own list of sources that also names source packages. What comes is verified against the
hashes below and unpacked, once: libraries that only serve to run tests into DIRECTORY/share, those
that are tested into DIRECTORY/NAME.

Exit status: 0 they are there, 3 they cannot be had here (no apt-get, no network, another release),
1 what was downloaded is not what it should be.
"""

import glob
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile

# Binary packages: Lua files, and tests where the package has them.
BINARIES = {
    "lua-busted": ("2.1.1-1", "2bd80d74768b090024c3c6852032c681d323fc0a94506a727d17809e9c9a69b3"),
    "lua-check": ("1.1.0-1", "a6452188de53a22d0bef3e4aa2aaacd9427e656844c9338bec2ce4aad7951aa9"),
    "lua-cliargs": ("3.0-2-5", "d06d30a69d7ec9c7d97d8007e56a0524da94a492e05e2fda65122c4f4c133420"),
    "lua-dkjson": ("2.6-2", "91d968a727c0ab4cbd066ed072029d6e64112ce98706ab5a9ac0780782eb30fe"),
    "lua-ldoc": ("1.4.6-2", "b2fd6c5d66e3e50587dba36ea1e2da9eac10dbea5836625c6b8c3e955bf6c78f"),
    "lua-luassert": ("1.9.0-1", "ff140f3dbf622d544c5bfc740037b0dc5485d5662c0500d25dcccf6dcaa958d4"),
    "lua-mediator": ("1.1.2-0-8", "8fd811765c18cd53ee4c7b966fa690b586d0fd1b3e98c3505ceddd7df17a5604"),
    "lua-penlight": ("1.13.1-3", "69918434ee650d06aa470d49ba05a1a16ae43e66b8216e135cc5075f7d5d9ff3"),
    "lua-say": ("1.4.1-2", "d4286a7050dd30fa9d545e4d9e8c56646a5ed146c0d854bf903f9667d46ce7d3"),
}

# Source packages: the version of the archive with the library and its tests, and that of the package.
SOURCES = {
    "lua-ansicolors": ("1.0.2", "3", "fa76a465c2e0d342f6d5a1d44c63bd398053f206f41c7b5356b551694f899d64"),
    "lua-argparse": ("0.7.1", "2", "d344e49404c3e7b3e7fa4fe6741c106f25909d9b24923cb08dcceda1f9754809"),
    "lua-binaryheap": ("0.4", "2", "10b1b6c6f2d22560f512f9896a6672ec5ae0eea1390ff8e662be1d5d9625b438"),
    "lua-coxpcall": ("1.17.0", "1", "6044f70fcc01f50cae3a191cba13c252dcf9e6f169502e3d9c4a151934c46be0"),
    "lua-fifo": ("0.2", "3.1", "85cad0c2f9eac1cd3e08c5134feb655e0b928e1e22363c3ef3293a194c0eb53f"),
    "lua-inspect": ("3.1.1", "2", "0292f4960ef0ccb2c7334911981b280f9016c57a29c90c5ff5d3823621f6e0db"),
    "lua-luassert": ("1.9.0", "1", "1db0fabf1bd87392860375b89a8a37d17b687325c988be0df8c42e7e96e7ed73"),
    "lua-mediator": ("1.1.2-0", "8", "faf5859fd2081be4e9e4fb8873a2dc65f7eff3fd93d6dd14da65f8e123fcff9b"),
    "lua-messagepack": ("0.5.2", "1", "e8285b1c574fca279e7ec8c09b49073ef48a13c4a12d8db920ca50be34b07394"),
    "lua-moses": ("2.1.0", "1", "4ea39dc9526031cf42b7b7a1631b791ab660382a1f425bc8f69c9eefc44a1611"),
    "lua-say": ("1.4.1", "2", "ce07547ca49ef42cc799e2a30b3c65ce77039978e32e7961799a252d61a56486"),
    "lua-unit": ("3.4", "2", "b8aea5826f09749d149efa8ef1b13f81e6a9fc6abfbe4c1cbf87a558a6d4e8d0"),
}


def give_up(why):
    print(why)
    sys.exit(3)


def check(path, expected):
    with open(path, "rb") as file:
        data = file.read()
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        print(f"{os.path.basename(path)}: sha256 is {found}, not {expected}")
        sys.exit(1)
    return data


def with_sources(directory):
    """Options by which apt-get has lists of its own, of binary and of source packages."""
    parts = os.path.join(directory, "parts")
    for name in ["parts", "lists/partial", "cache/archives/partial"]:
        os.makedirs(os.path.join(directory, name), exist_ok=True)
    for path in glob.glob("/etc/apt/sources.list.d/*.sources"):
        with open(path, encoding="utf-8") as file:
            text = file.read().replace("Types: deb\n", "Types: deb deb-src\n")
        with open(os.path.join(parts, os.path.basename(path)), "w", encoding="utf-8") as file:
            file.write(text)
    for path in glob.glob("/etc/apt/sources.list") + glob.glob("/etc/apt/sources.list.d/*.list"):
        with open(path, encoding="utf-8") as file:
            lines = [line for line in file if line.startswith("deb ")]
        lines += [line.replace("deb ", "deb-src ", 1) for line in lines]
        with open(os.path.join(parts, os.path.basename(path) + ".list"), "w", encoding="utf-8") as file:
            file.writelines(lines)
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": parts,
        "Dir::State::lists": os.path.join(directory, "lists"),
        "Dir::Cache": os.path.join(directory, "cache"),
        "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
        "Debug::NoLocking": "1",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def apt(options, directory, *command):
    try:
        result = subprocess.run(
            ["apt-get", "-q", *options, *command],
            cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        give_up(f"apt-get: {error}")
    if result.returncode != 0:
        give_up(f"apt-get {' '.join(command)}: {result.stdout.strip()[-300:]}")


def unpack(archive, target, strip):
    """Unpacks the files of a tar archive, without the first `strip` parts of their paths."""
    for member in archive:
        parts = member.name.split("/")[strip:]
        if not parts or ".." in parts or not (member.isfile() or member.issym()):
            continue
        # Links lead within the package: what is behind them is what is wanted.
        try:
            file = archive.extractfile(member)
        except KeyError:
            continue
        if file is None:
            continue
        place = os.path.join(target, *parts)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as out:
            out.write(file.read())


def main():
    directory = os.path.abspath(sys.argv[1])
    done = os.path.join(directory, "done")
    if os.path.exists(done):
        return
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        give_up("there is no apt-get")
    # Under a name of its own until it is complete.
    partial = f"{directory}.{os.getpid()}"
    downloads = os.path.join(partial, "downloads")
    os.makedirs(downloads)
    options = with_sources(os.path.join(partial, "apt"))
    apt(options, downloads, "update")
    apt(options, downloads, "download", *[f"{n}={v}" for n, (v, _) in BINARIES.items()])
    sources = [f"{name}={version}-{package}" for name, (version, package, _) in SOURCES.items()]
    apt(options, downloads, "source", "--download-only", "--tar-only", *sources)
    for name, (version, sha256) in BINARIES.items():
        path = os.path.join(downloads, f"{name}_{version}_all.deb")
        check(path, sha256)
        files = os.path.join(partial, "package", name)
        os.makedirs(files)
        subprocess.run(["dpkg-deb", "-x", path, files], check=True)
        versions = sorted(glob.glob(os.path.join(files, "usr/share/lua/*")))
        shutil.copytree(versions[-1], os.path.join(partial, "share"), dirs_exist_ok=True)
    for name, (version, _, sha256) in SOURCES.items():
        data = check(os.path.join(downloads, f"{name}_{version}.orig.tar.gz"), sha256)
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            unpack(archive, os.path.join(partial, name), 1)
    shutil.rmtree(downloads)
    shutil.rmtree(os.path.join(partial, "apt"))
    with open(os.path.join(partial, "done"), "w", encoding="ascii"):
        pass
    shutil.rmtree(directory, ignore_errors=True)
    os.rename(partial, directory)


main()
