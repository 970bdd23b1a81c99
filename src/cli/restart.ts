import { UNIT_TASKS } from "../doctor-machine.ts";
import { AppError } from "../errors.ts";
import { defineTattileCommand } from "./command.ts";
import { confirm } from "./prompt.ts";
import { REMOVE_ARGS } from "./registry-output.ts";
import { listUnits, show, type UnitTask, unitsOf } from "./systemd.ts";

export const restartCommand = defineTattileCommand({
  name: "restart",
  summary: "restart the services that this machine runs",
  notes: ["Nothing is lost: cameras see their connection reset and send again, what was being sent is sent again."],
  examples: ["tattile restart --yes", "tattile restart --task sender --dry-run"],
  args: {
    task: { kind: "value", hint: "TASK", options: UNIT_TASKS, about: "one service only" },
    ...REMOVE_ARGS,
  },
  async run(args, context) {
    const states = await listUnits();
    const task = (args.task as UnitTask | undefined) ?? null;
    const used = states.filter(({ active, enabled }) => enabled || active !== "inactive");
    const units = used.length === 0 ? [] : unitsOf(task, used);
    if (units.length === 0) {
      const which = task === null ? "no service of tattile is" : `no service that does ${task} is`;
      throw new AppError("not-found", `restarting: ${which} enabled or running`, {
        hint: "systemctl enable --now tattile",
      });
    }
    const what = `restart ${units.join(", ")}`;
    if (args["dry-run"]) return context.out.line(`would ${what}`);
    await confirm(what, args.yes, context);
    const code = await show("systemctl", ["restart", ...units]);
    if (code !== 0) {
      throw new AppError("unavailable", `restarting: systemctl ended with ${code}`, {
        hint: "run it with sudo; journalctl -u tattile -n 50 says why a service does not start",
      });
    }
    context.out.line(`restarted ${units.join(", ")}`);
  },
});
