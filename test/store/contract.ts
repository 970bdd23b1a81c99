import type { OpenStore } from "../support/store-fixture.ts";
import { describeActivity } from "./contract-activity.ts";
import { describeAudit } from "./contract-audit.ts";
import { describeCopying } from "./contract-copying.ts";
import { describeHoldings } from "./contract-holdings.ts";
import { describeIntake } from "./contract-intake.ts";
import { describeOperator } from "./contract-operator.ts";
import { describePages } from "./contract-pages.ts";
import { describeQueue } from "./contract-queue.ts";
import { describeRegistry } from "./contract-registry.ts";
import { describeRotations } from "./contract-rotations.ts";
import { describeSite } from "./contract-site.ts";
import { describeTokens } from "./contract-tokens.ts";
import { describeTransfer } from "./contract-transfer.ts";

/** What every store must do, whatever it keeps its rows in. Each implementation calls this once with its own `open`. */
export function describeStore(name: string, open: OpenStore): void {
  describeIntake(name, open);
  describeTransfer(name, open);
  describeCopying(name, open);
  describeQueue(name, open);
  describeRegistry(name, open);
  describeSite(name, open);
  describeRotations(name, open);
  describeOperator(name, open);
  describePages(name, open);
  describeTokens(name, open);
  describeActivity(name, open);
  describeAudit(name, open);
  describeHoldings(name, open);
}
