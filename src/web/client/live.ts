import { useEffect, useState } from "preact/hooks";
import { ask } from "./server.ts";
import type { Status } from "./wire.ts";

const EVERY_MS = 2000;

export interface Live {
  status: Status | null;
  /** The server's time now, as far as is known: ages must not depend on this device's clock. */
  now: number;
  lost: boolean;
  refresh(): void;
}

/** How everything is, kept up to date while the page is looked at. */
export function useLive(): Live {
  const [status, setStatus] = useState<Status | null>(null);
  const [offset, setOffset] = useState(0);
  const [lost, setLost] = useState(false);
  const [, tick] = useState(0);
  const [round, setRound] = useState(0);

  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = async (): Promise<void> => {
      try {
        const fresh = await ask<Status>("GET", "/api/v1/status");
        if (over) return;
        setStatus(fresh);
        setOffset(Date.parse(fresh.at) - Date.now());
        setLost(false);
      } catch {
        if (!over) setLost(true);
      }
      if (!over) timer = setTimeout(look, EVERY_MS);
    };
    void look();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [round]);
  return { status, now: Date.now() + offset, lost, refresh: () => setRound((n) => n + 1) };
}
