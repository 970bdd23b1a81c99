import { t } from "./i18n.ts";
import type { Trouble } from "./live.ts";
import { Note } from "./parts.tsx";

/** Why what stands below may be old. */
export function TroubleNote({ trouble }: { trouble: Trouble | null }) {
  if (trouble === null) return null;
  return (
    <Note tone="bad">
      {trouble.kind === "lost" ? t().app.lost : t().app.storeAway(trouble.spooled, trouble.isFull)}
    </Note>
  );
}
