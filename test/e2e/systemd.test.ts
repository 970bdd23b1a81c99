import { afterAll, beforeAll, expect, test } from "bun:test";
import { type BootedMachine, bootMachine } from "../support/booted-systemd.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
let machine: BootedMachine;

/** Of a line that must succeed. */
function said(line: string): string {
  const { status, text } = machine.run(line);
  expect([status, text]).toEqual([0, text]);
  return text;
}

const send = (count: number): string => said(`tattile simulate camera --serial 2001008851 --count ${count} --rate 50`);

async function untilDelivered(total: number): Promise<void> {
  while (!machine.run("tattile status").text.includes(`${total} received, ${total} delivered`)) await Bun.sleep(200);
}

// Booting takes root. In CI that must be so; elsewhere whoever is not root does without.
if (process.getuid?.() === 0 || process.env["CI"] !== undefined) {
  beforeAll(async () => {
    machine = await bootMachine({ tattile: `${ROOT}dist/tattile`, install: `${ROOT}install` });
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
  });

  test("the installer's unit starts, and started means that cameras are heard", () => {
    said("bash /give/install/install.sh --binary /give/tattile");
    said("systemctl enable --now tattile");
    expect(said("systemctl show tattile -p Type,SubState,WatchdogUSec")).toBe(
      "Type=notify\nWatchdogUSec=5min\nSubState=running",
    );
    // At once: no moment in which it is started and does not listen.
    expect(said("curl -s http://127.0.0.1:8000/health")).toContain('"status":"ok"');
    said("exec 3<>/dev/tcp/127.0.0.1/33334");
  });

  test("in its sandbox readings go the whole way, and are erased", async () => {
    said("mkdir -p /srv/police && cd /srv && (tattile simulate mossos --dir /srv/police >/srv/log 2>&1 &)");
    while (!said("cat /srv/log").includes("sign for it")) await Bun.sleep(100);
    said("install -m 644 /srv/police/ca.pem /etc/tattile/ca.pem");
    said("tattile municipality add Vila");
    said("tattile endpoint add Mossos https://localhost:8443/matr-ws --ca /etc/tattile/ca.pem");
    said("tattile municipality set Vila --endpoint Mossos");
    said("echo tattile | tattile cert import /srv/police/client.pfx --municipality Vila --password-stdin");
    said("tattile camera add 2001008851 --reader L1 --municipality Vila");
    expect(send(20)).toContain("confirmed 20, not confirmed 0");
    await untilDelivered(20);
    expect(said("find /var/lib/tattile/images -type f | wc -l")).toBe("0");
    expect(said("tattile doctor || true")).toContain("good unit tattile: active, started with the machine, hardened");
  });

  test("killed, it is back, and what the camera sent again is delivered once", async () => {
    said("kill -9 $(systemctl show -p MainPID --value tattile)");
    send(20);
    await untilDelivered(40);
    expect(said("systemctl show tattile -p NRestarts")).toBe("NRestarts=1");
  });

  test("a process that hangs is ended by the watchdog and started anew", async () => {
    said("mkdir -p /run/systemd/system/tattile.service.d");
    said(
      "printf '[Service]\\nWatchdogSec=2\\nTimeoutAbortSec=1\\n' >/run/systemd/system/tattile.service.d/test.conf && systemctl daemon-reload",
    );
    said("systemctl restart tattile");
    // It says that it lives: longer than the watchdog waits, nothing happens.
    await Bun.sleep(5000);
    expect(said("systemctl show tattile -p NRestarts")).toBe("NRestarts=0");
    said("kill -STOP $(systemctl show -p MainPID --value tattile)");
    while (said("systemctl show tattile -p NRestarts,SubState") !== "NRestarts=1\nSubState=running")
      await Bun.sleep(200);
    expect(said("journalctl -u tattile --no-pager")).toContain("Watchdog timeout");
    said("rm -r /run/systemd/system/tattile.service.d && systemctl daemon-reload && systemctl restart tattile");
  });

  test("it stops within its time and in good order", () => {
    said("systemctl stop tattile");
    expect(said("systemctl show tattile -p Result,ExecMainStatus")).toBe("Result=success\nExecMainStatus=0");
  });

  test("a setting that cannot be is told by systemctl, and by the journal with its severity", () => {
    said("cp /etc/tattile/tattile.env /srv/env && echo TRANSIT_PORT=many >>/etc/tattile/tattile.env");
    expect(machine.run("timeout 5 systemctl start tattile").status).not.toBe(0);
    const journal = said("journalctl -u tattile -p err --no-pager -o cat");
    expect(journal).toContain("TRANSIT_PORT must be a whole number");
    said("systemctl stop tattile; cp /srv/env /etc/tattile/tattile.env");
  });

  test("three units do the same as one, and take its place", async () => {
    said("bash /give/install/install.sh --three --binary /give/tattile");
    said("systemctl enable --now tattile-ingest tattile-sender tattile-api");
    expect(said("systemctl is-active tattile-ingest tattile-sender tattile-api")).toBe("active\nactive\nactive");
    send(20);
    await untilDelivered(60);
    expect(said("tattile logs --task ingest")).toContain("listening for cameras");
    said("tattile restart --yes");
    send(20);
    await untilDelivered(80);
  });

  test("uninstalled, nothing of the program is left, and the data is", () => {
    said("bash /give/install/install.sh --uninstall");
    expect(said("ls /usr/local/bin /etc/systemd/system")).not.toContain("tattile");
    expect(said("ls /var/lib/tattile")).toContain("tattile.db");
  });
}
