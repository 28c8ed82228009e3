"""What goes into the Debian package: quick checks of its files. bin/package makes it and bin/package-check installs it in a fresh root."""

import email.parser
import re
import shutil
import subprocess

import pytest

from server import AIAS, ROOT

PACKAGING = ROOT / "packaging"


def swift_sources():
    return "\n".join(path.read_text() for path in (ROOT / "Sources").rglob("*.swift"))


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    unit = (PACKAGING / "aias.service").read_text()
    # The program is not installed here; everything else is checked as it is.
    (tmp_path / "aias.service").write_text(unit.replace("/usr/lib/aias/aias serve", "/bin/true serve"))
    result = subprocess.run(["systemd-analyze", "verify", str(tmp_path / "aias.service")], capture_output=True, text=True)
    assert result.returncode == 0 and not result.stderr.strip(), result.stderr
    assert "\nRestartPreventExitStatus=78\n" in unit
    assert "\nUnsetEnvironment=AIAS_DATABASE_OWNER_URL\n" in unit, "the service must not have the login that owns the schema"
    broken = tmp_path / "broken.service"
    broken.write_text(unit.replace("ProtectSystem=strict", "ProtectSystem=sometimes").replace("/usr/lib/aias/aias serve", "/bin/true"))
    assert "protect system value" in subprocess.run(["systemd-analyze", "verify", str(broken)], capture_output=True, text=True).stderr


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm", "aias.sh"])
def test_scripts_can_be_read_by_the_shell(name):
    assert subprocess.run(["sh", "-n", str(PACKAGING / name)]).returncode == 0
    assert (PACKAGING / name).stat().st_mode & 0o111
    text = (PACKAGING / name).read_text()
    assert name == "aias.sh" or "set -e" in text


def installed(tmp_path, name):
    """A script of the package whose places lie in a folder of the test."""
    text = (PACKAGING / name).read_text()
    for place in ("/etc/aias", "/var/lib/aias", "/run/systemd/system", "/usr/bin/aias", "/usr/lib/aias/aias"):
        text = text.replace(place, str(tmp_path) + place)
    for place in ("etc/aias", "run/systemd/system", "usr/bin", "usr/lib/aias", "bin"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
    script = tmp_path / name
    script.write_text(text)
    return script


def put(path, text):
    path.write_text("#!/bin/sh\n" + text + "\n")
    path.chmod(0o755)


def test_what_the_caller_sets_wins_over_the_settings(tmp_path):
    script = installed(tmp_path, "aias.sh")
    put(tmp_path / "usr/lib/aias/aias", 'printf "%s|" "$AIAS_HOST" "$AIAS_PORT" "$AIAS_SMTP_FROM" "$AIAS_DATABASE_OWNER_URL" "$AIAS_DATA" "$@"')
    (tmp_path / "etc/aias/aias.env").write_text("AIAS_HOST=0.0.0.0\nAIAS_PORT=81\nAIAS_SMTP_FROM='A <a@example.com>'\n")

    def told(**given):
        environment = {"PATH": "/usr/bin:/bin", **given}
        return subprocess.run(["sh", str(script), "a b"], env=environment, capture_output=True, text=True, check=True).stdout.split("|")[:-1]

    data = str(tmp_path) + "/var/lib/aias"
    assert told() == ["0.0.0.0", "81", "A <a@example.com>", "", data, "a b"]
    assert told(AIAS_HOST="it's \"$HOME\"\n", AIAS_PORT="", AIAS_DATA="/elsewhere") == ["it's \"$HOME\"\n", "", "A <a@example.com>", "", "/elsewhere", "a b"]
    (tmp_path / "etc/aias/owner.env").write_text("AIAS_DATABASE_OWNER_URL=postgres://owner@db/aias\n")
    assert told()[3] == "postgres://owner@db/aias"
    assert told(AIAS_DATABASE_OWNER_URL="postgres://other@db/aias")[3] == "postgres://other@db/aias"


@pytest.mark.parametrize(
    "checks, migrates, has_owner, restarts, calls", [
        (True, False, False, True, ["aias migrate --check"]),
        (False, True, False, True, ["aias migrate --check", "aias migrate"]),
        (False, True, True, True, ["aias migrate --check", "root migrate"]),
        (False, False, True, False, ["aias migrate --check", "root migrate"])])
def test_an_upgrade_restarts_only_where_the_database_has_the_schema(tmp_path, checks, migrates, has_owner, restarts, calls):
    script, record = installed(tmp_path, "postinst"), tmp_path / "record"
    (tmp_path / "etc/aias/aias.env").touch()
    if has_owner:
        (tmp_path / "etc/aias/owner.env").touch()
    put(tmp_path / "bin/setpriv", 'while [ "${1#--}" != "$1" ]; do shift; done; USED=aias exec "$@"')
    put(tmp_path / "usr/bin/aias", f'echo "${{USED:-root}} $*" >> {record}; [ "$*" = "migrate --check" ] && exit {int(not checks)}; exit {int(not migrates)}')
    put(tmp_path / "bin/deb-systemd-invoke", f'echo "invoke $*" >> {record}')
    for name in ("getent", "adduser", "install", "chown", "chmod", "deb-systemd-helper", "systemctl"):
        put(tmp_path / "bin" / name, "exit 0")
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    upgrade = subprocess.run(["sh", str(script), "configure", "0.9"], env=environment, capture_output=True, text=True)
    assert upgrade.returncode == 0, upgrade.stderr
    assert record.read_text().splitlines() == calls + (["invoke restart aias.service"] if restarts else [])
    assert restarts != ("was not restarted" in upgrade.stderr)
    record.unlink()
    # The first installation has no database yet.
    assert subprocess.run(["sh", str(script), "configure", ""], env=environment).returncode == 0
    assert record.read_text().splitlines() == ["invoke start aias.service"]


def test_a_purge_takes_the_password_of_the_owner_along_and_keeps_the_data(tmp_path):
    script = installed(tmp_path, "postrm")
    (tmp_path / "etc/aias/owner.env").write_text("AIAS_DATABASE_OWNER_URL=postgres://owner:secret@db/aias\n")
    (tmp_path / "var/lib/aias").mkdir(parents=True)
    for name in ("systemctl", "deb-systemd-helper"):
        put(tmp_path / "bin" / name, "exit 0")
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}
    subprocess.run(["sh", str(script), "remove"], env=environment, check=True)
    assert (tmp_path / "etc/aias/owner.env").exists()
    purge = subprocess.run(["sh", str(script), "purge"], env=environment, check=True, capture_output=True, text=True)
    assert not (tmp_path / "etc/aias").exists() and (tmp_path / "var/lib/aias").exists() and "is kept" in purge.stderr


def test_the_control_file_says_what_debian_asks_for():
    control = email.parser.Parser().parsestr((PACKAGING / "control.in").read_text())
    assert {"Package", "Version", "Architecture", "Maintainer", "Depends", "Description", "Section", "Priority"} <= set(control.keys())
    assert control["Package"] == "aias" and re.fullmatch(r"[^<]+<[^@]+@[^>]+>", control["Maintainer"])
    assert (PACKAGING / "conffiles").read_text().split() == ["/etc/aias/aias.env"]
    for line in control["Description"].split("\n")[1:]:
        assert line.startswith(" ") and len(line) <= 80


def test_the_manual_page_names_every_command():
    help_text = subprocess.run([AIAS, "--help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^  ([a-z-]+) {2,}", help_text.split("SUBCOMMANDS:")[1], re.MULTILINE))
    named = set(re.findall(r"^\.TP\n\.B ([a-z-]+)$", (PACKAGING / "aias.1").read_text(), re.MULTILINE))
    assert len(named) > 10 and commands == named


def test_settings_and_figures_that_the_pages_name_are_there():
    sources = swift_sources()
    texts = {path: path.read_text() for path in [PACKAGING / "aias.env", *sorted((ROOT / "Docs" / "Operations").glob("*.md"))]}
    assert len(texts) >= 6
    for path, text in texts.items():
        for name in set(re.findall(r"\b(?:AIAS|OTEL)_[A-Z_]*[A-Z]\b", text)):
            assert f'"{name}"' in sources, f"{path.name} names {name}, which nothing reads"
    known = set(re.findall(r'MetricName\(\s*"([a-z_]+)"', sources))
    for name in set(re.findall(r"\baias_([a-z_]+)(?:_count|_bucket|_sum)?\b", texts[ROOT / "Docs" / "Operations" / "monitor.md"])):
        assert name in known or name.removesuffix("_count") in known, f"monitor.md names aias_{name}, which is no figure"


def test_the_container_file_names_what_the_package_brings():
    text = (PACKAGING / "Containerfile").read_text()
    assert "ENTRYPOINT [\"/usr/bin/aias\"]" in text and "USER aias" in text and "/var/lib/aias" in text
    assert shutil.which("dpkg-deb"), "packages are made by dpkg-deb"
