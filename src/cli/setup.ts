import { stat } from "node:fs/promises";
import { AppError } from "../errors.ts";
import { CATALOGUES } from "../i18n/catalogue.ts";
import { chooseLanguage } from "../i18n/language.ts";
import { translateError } from "../i18n/translate.ts";
import { defineTattileCommand } from "./command.ts";
import { assignMenu, changeMenu } from "./setup-change.ts";
import { BACK } from "./setup-dialog.ts";
import { createKit, type Kit } from "./setup-kit.ts";
import { lookMenu, queueMenu, serviceMenu } from "./setup-look.ts";
import { addMenu } from "./setup-register.ts";
import { removeMenu } from "./setup-remove.ts";
import { createOwnService } from "./setup-service.ts";
import { runWizard } from "./setup-wizard.ts";

export const setupCommand = defineTattileCommand({
  name: "setup",
  summary: "a menu for everything, and a first set-up step by step",
  notes: [
    "In Catalan, Spanish or English, by TATTILE_LANG (ca, es, en), else by the language of the system. Esc goes back everywhere. Each deed is shown as the command that does it.",
  ],
  examples: ["tattile setup", "tattile setup --wizard"],
  args: { wizard: { kind: "switch", about: "begin with the first set-up at once" } },
  async run(args, context) {
    const { transit, dataDir, language } = await context.config();
    const spoken = chooseLanguage(language, process.env);
    const t = CATALOGUES[spoken];
    if (!context.input.isTTY || !context.out.interactive) {
      throw new AppError("usage", `setup: ${t.noTerminal}`, { hint: t.noTerminalHint });
    }
    const kit = createKit(spoken, context);
    const service = createOwnService(await isOwn(dataDir));
    const wizard = (): Promise<void> => runWizard(kit, service, transit.port);
    try {
      if (args.wizard) await saying(kit, wizard);
      await mainMenu(kit, wizard, transit.port);
    } finally {
      await service.end(kit);
    }
    kit.say(t.goodbye);
  },
});

/** Whether what a service writes there belongs to the user of this process; what root writes the service's user could not read. */
async function isOwn(dataDir: string): Promise<boolean> {
  const owner = await stat(dataDir).catch(() => null);
  return owner === null || owner.uid === process.getuid?.();
}

async function mainMenu(kit: Kit, wizardStep: () => Promise<void>, transitPort: number): Promise<void> {
  const { menu, quit } = kit.t;
  const wizard = { label: menu.wizard, value: wizardStep };
  const rest = [
    { label: menu.look, value: () => lookMenu(kit) },
    { label: menu.add, value: () => addMenu(kit) },
    { label: menu.assign, value: () => assignMenu(kit) },
    { label: menu.change, value: () => changeMenu(kit) },
    { label: menu.remove, value: () => removeMenu(kit) },
    { label: menu.queue, value: () => queueMenu(kit) },
    { label: menu.service, value: () => serviceMenu(kit, transitPort) },
  ];
  for (;;) {
    // Where nothing is registered yet the first set-up is what one came for; later it is the last thing one wants by mistake.
    const isEmpty = (await kit.query<unknown[]>(["camera", "list"])).length === 0;
    kit.say("");
    const picked = await kit.choose(menu.title, isEmpty ? [wizard, ...rest] : [...rest, wizard], quit);
    if (picked === BACK) return;
    await saying(kit, picked);
  }
}

/** What goes wrong is said, and the menu comes again. */
async function saying(kit: Kit, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    kit.say(`${kit.out.paint("bad", kit.t.failed)} ${translateError(error.message, kit.language)}`);
    if (error.hint !== undefined) kit.say(`${kit.t.tryThis} ${translateError(error.hint, kit.language)}`);
  }
}
