"""Fetches the official Lua 5.4 tests: fetch.py DIRECTORY

They are part of the source distribution of the package `lupa`, which pip downloads and
verifies against the hash below. They are unpacked into DIRECTORY/testes, once.

Exit status: 0 they are there, 3 they cannot be had here (no pip, no network), 1 what was
downloaded is not what it should be.
"""

import hashlib
import os
import subprocess
import sys
import tarfile

NAME = "lupa"
VERSION = "2.8"
SHA256 = "d8022641b9ec8ecf2c5ecbe9f47e5a70e0b87c4b5ae921b92cb02a638e0acd08"
INSIDE = f"{NAME}-{VERSION}/third-party/lua54/testes/"


def download(directory):
    archive = os.path.join(directory, f"{NAME}-{VERSION}.tar.gz")
    if os.path.exists(archive):
        return archive
    requirements = os.path.join(directory, "requirements.txt")
    with open(requirements, "w", encoding="ascii") as file:
        file.write(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n")
    # pip asks the package for its metadata, for which the package prepares a build of every
    # Lua it carries; that of LuaJIT takes longest and can be left out.
    environment = dict(os.environ, LUPA_NO_LUAJIT="true")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-binary", NAME, "--require-hashes"]
    command += ["--dest", directory, "--requirement", requirements]
    result = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        print(result.stderr.strip())
        sys.exit(1 if "DO NOT MATCH THE HASHES" in result.stderr else 3)
    return archive


def main():
    directory = sys.argv[1]
    target = os.path.join(directory, "testes")
    if os.path.exists(target):
        return
    os.makedirs(directory, exist_ok=True)
    archive = download(directory)
    with open(archive, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != SHA256:
        print(f"{archive}: sha256 is {found}, not {SHA256}")
        sys.exit(1)
    # Under a name of its own until it is complete.
    partial = f"{target}.{os.getpid()}"
    os.mkdir(partial)
    with tarfile.open(archive) as tar:
        for member in tar:
            path = member.name
            if not path.startswith(INSIDE) or not (member.isfile() or member.isdir()):
                continue
            inside = path[len(INSIDE):]
            if not inside or ".." in inside.split("/"):
                continue
            place = os.path.join(partial, inside)
            if member.isdir():
                os.makedirs(place, exist_ok=True)
            else:
                os.makedirs(os.path.dirname(place), exist_ok=True)
                with open(place, "wb") as file:
                    file.write(tar.extractfile(member).read())
    os.rename(partial, target)


main()
