import { useEffect, useState } from "preact/hooks";

/** Where in the dashboard: `#/messages?state=DEAD` is page `messages`. Never a plate in it. */
export interface Place {
  page: string;
  id: string | null;
  query: URLSearchParams;
}

function readPlace(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [page = "", id] = path.split("/");
  return { page, id: id === undefined || id === "" ? null : decodeURIComponent(id), query: new URLSearchParams(query) };
}

export function linkTo(page: string, query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${page}${search === "" ? "" : `?${search}`}`;
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const note = () => setHash(location.hash);
    // It may have changed between drawing and here.
    note();
    addEventListener("hashchange", note);
    return () => removeEventListener("hashchange", note);
  }, []);
  return readPlace(hash);
}
