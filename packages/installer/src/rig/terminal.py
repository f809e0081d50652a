"""Runs the command given as arguments in a pseudo-terminal and types answers. Kills it after 30 s without output. Reads
the dialog from stdin, because the list of processes would show arguments: a JSON list of [text to wait for in the
output, text to type then]. Prints JSON: {"status": exit status or minus the signal's number, "output": what the
terminal showed, "unasked": rest of the dialog}."""

import json
import os
import pty
import select
import signal
import sys

dialog = json.load(sys.stdin)
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])

output = b""
sought = 0
while True:
    ready, _, _ = select.select([terminal], [], [], 30)
    if not ready:
        os.kill(pid, signal.SIGKILL)
        break
    try:
        chunk = os.read(terminal, 65536)
    except OSError:
        break
    if not chunk:
        break
    output += chunk
    while dialog and dialog[0][0].encode() in output[sought:]:
        wanted, typed = dialog.pop(0)
        sought = output.index(wanted.encode(), sought) + len(wanted.encode())
        os.write(terminal, typed.encode())
_, state = os.waitpid(pid, 0)
status = os.waitstatus_to_exitcode(state)
print(json.dumps({"status": status, "output": output.decode("utf-8", "replace"), "unasked": dialog}))
