# SPDX-License-Identifier: Apache-2.0
"""Real servers in a network namespace, each by one call: nginx, redis, dnsmasq, postgres.

They listen on the addresses that Net.pair() gave the namespace, IPv4 and IPv6, or on those of lo where there are none. They run
in the foreground from a folder of their own, are ready when the call returns, and end with the scenario, or by stop().
"""
import os
import pathlib
import pwd
import signal

import netns

NOBODY = "nobody"  # whom postgres runs as
POSTGRES_FOLDERS = "/usr/lib/postgresql/*/bin"  # Debian's, which are not in PATH


def addresses_of(place):
    return list(place.addresses.values()) or ["127.0.0.1", "::1"]


def end(address, port):
    """As ss and URLs have it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


class Server:
    """pid: the process that listens; port; folder: its private one, a Path. ending: the signal that it ends at, and takes its
    children with it, also where the scenario is killed. user: options of setpriv."""

    def __init__(self, place, argv, port, folder, ending=signal.SIGTERM, user=()):
        words = [netns.require("setpriv"), *user, "--pdeathsig", ending.name.removeprefix("SIG"), "--"]
        self.process = place.popen([*words, *argv], cwd=folder)
        self.pid, self.port, self.folder = self.process.pid, port, folder
        self._place, self._ending = place, ending
        place.net.on_exit(self.stop)

    @property
    def log(self):
        """All that it has said so far."""
        return self.process.stdout + self.process.stderr

    def listens(self, port):
        told = self._place.run([netns.require("ss"), "-Hltnp", f"sport = :{port}"]).stdout
        there = {line.split()[3] for line in told.splitlines() if f"pid={self.pid}," in line}
        return there >= {end(address, port) for address in addresses_of(self._place)}

    def wait(self, condition, what):
        """Until condition(); it must not end before."""
        netns.wait_until(lambda: self.process.popen.poll() is not None or condition(), f"{what} of {self.process}",
                         seen=lambda: self.log)
        assert self.process.popen.poll() is None, f"{self.process} has ended\n{self.log}"

    def wait_listen(self, *ports):
        for port in ports or (self.port,):
            self.wait(lambda port=port: self.listens(port), f"port {port}")

    def stop(self):
        """Ends it, and with it its children."""
        if self.process.popen.poll() is None:
            assert self.process.stop(self._ending) == 0, self.log


# ---- nginx ----

NGINX = """
daemon off;
user nobody nogroup;
worker_processes 1;
worker_rlimit_nofile 8192;
pid {folder}/pid;
events {{ worker_connections 4096; }}
http {{
  log_format witness '{log_format}';
  access_log {folder}/access.log witness;
  {temporary}
  {http}
  server {{
    {listen}
    location / {{ root {folder}; {location} }}
  }}
}}
"""
NGINX_LOG = "$pid $remote_addr $remote_port $server_addr $server_port $status $body_bytes_sent $request_time"
# Debian's nginx has these folders in /var/lib/nginx, and makes the user that it runs as their owner.
NGINX_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
BACKLOG = 4096


class Nginx(Server):
    """pid is the master's; one worker serves."""

    @property
    def access_log(self):
        """A line in the given log_format for each request that is over."""
        return (self.folder / "access.log").read_text(encoding="utf-8")


def nginx(place, pages, port=8080, tls_port=None, log_format=NGINX_LOG, http="", location=""):
    """Serves pages: bytes by name. tls_port: where it speaks TLS, with a certificate that nobody has signed. http and location:
    more words for these blocks of its configuration."""
    program, folder = netns.require("nginx"), place.net.folder()
    folder.chmod(0o755)
    for name, content in pages.items():
        (folder / name).write_bytes(content)
    listen = [f"listen {end(address, port)} backlog={BACKLOG};" for address in addresses_of(place)]
    if tls_port:
        key, certificate = make_certificate(place.net, folder)
        listen += [f"listen {end(address, tls_port)} ssl;" for address in addresses_of(place)]
        listen.append(f"ssl_certificate {certificate}; ssl_certificate_key {key};")
    temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in NGINX_TEMPORARY)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, log_format=log_format, temporary=temporary, http=http, location=location,
                                   listen="\n    ".join(listen)), encoding="utf-8")
    server = Nginx(place, [program, "-p", folder, "-e", "stderr", "-c", config], port, folder)
    server.wait_listen(port, *([tls_port] if tls_port else []))
    return server


def make_certificate(net, folder):
    """The files of a key and of its certificate."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    net.host.run([netns.require("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-days", "2", "-subj", "/CN=x", "-keyout", key, "-out", certificate])
    return key, certificate


# ---- redis ----

def redis(place, port=6379):
    """Keeps everything in memory alone."""
    program, folder = netns.require("redis-server"), place.net.folder()
    server = Server(place, [program, "--port", port, "--bind", *addresses_of(place), "--protected-mode", "no", "--daemonize", "no",
                            "--save", "", "--appendonly", "no", "--dir", folder], port, folder)
    server.wait_listen()
    return server


# ---- dnsmasq ----

def dnsmasq(place, hosts, port=53):
    """Answers for hosts, lists of addresses by name, by UDP and TCP, and for nothing else; it forks for each connection. Its log
    has each query and each answer. It stays root: who changes its user forgets that it ends with its parent."""
    program, folder = netns.require("dnsmasq"), place.net.folder()
    words = [f"--listen-address={address}" for address in addresses_of(place)]
    words += [f"--host-record={name},{','.join(addresses)}" for name, addresses in hosts.items()]
    server = Server(place, [program, "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file", "--user=root", "--group=root",
                            "--no-resolv", "--no-hosts", "--bind-interfaces", f"--port={port}", "--log-queries",
                            "--log-facility=-", *words], port, folder)
    server.wait_listen()
    return server


# ---- postgres ----

POSTGRES_SETTINGS = {
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",  # in its folder
    "shared_buffers": "1MB",
    "max_connections": 20,
    "fsync": "off",
    "autovacuum": "off",
}


def postgres_programs(*names):
    """Full paths, of the newest version that is there."""
    folders = sorted(pathlib.Path("/").glob(POSTGRES_FOLDERS[1:]), key=lambda folder: float(folder.parent.name))
    return [folders[-1] / name if folders else netns.require(name) for name in names]


def postgres(place, port=5432):
    """Everybody may be its superuser `sockeye`, without a password, in the database `postgres`. pid is the postmaster's; it forks
    for each connection."""
    initdb, program = postgres_programs("initdb", "postgres")
    folder, nobody = place.net.folder(), pwd.getpwnam(NOBODY)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    user = ["--reuid", nobody.pw_uid, "--regid", nobody.pw_gid, "--clear-groups"]  # it refuses to be root
    data = folder / "data"
    place.run([netns.require("setpriv"), *user, "--pdeathsig", "KILL", "--", initdb, "--pgdata", data, "--username=sockeye",
               "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions"], timeout=60, cwd=folder)
    with open(data / "pg_hba.conf", "a", encoding="ascii") as file:
        file.write("host all all all trust\n")
    settings = {**POSTGRES_SETTINGS, "listen_addresses": ",".join(addresses_of(place)), "port": port}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    server = Server(place, [program, "-D", data, *words], port, folder, signal.SIGINT, user)  # SIGTERM waits for clients
    server.wait(lambda: "ready to accept connections" in server.log, "readiness")
    server.wait_listen()
    return server
