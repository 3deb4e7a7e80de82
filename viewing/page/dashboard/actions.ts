import type { SessionView } from "../../dashboard/view/live.js";
import { byId, setText } from "./dom.js";

/** The actions of a person who has logged in, each after a question that says what it does. */
export interface Actions {
  drain(worker: string): void;
}

interface Question {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
}

const NOTICE_MS = 8_000;

/** @returns undefined for people who may not act */
export function createActions(): Actions | undefined {
  const stop = document.getElementById("stop");
  if (stop === null) return undefined;
  byId("checkpoint").addEventListener("click", () => void send({ checkpoint: {} }));
  stop.addEventListener("click", () => {
    const question = {
      title: "Stop the run?",
      text: "It ends after this step, with a checkpoint, and the server with it. The same command resumes it later.",
      yes: "Stop",
    };
    void confirmed(question, { stop: {} });
  });
  void showJoinCommand();
  return {
    drain(worker) {
      const text = `${worker} finishes its work and leaves. The others take over its share.`;
      void confirmed({ title: "Drain this worker?", text, yes: "Drain" }, { drain: { workerId: worker } });
    },
  };
}

/** Sends the request if the answer is yes. */
async function confirmed(question: Question, request: object): Promise<void> {
  if (await ask(question)) await send(request);
}

/** The browser's own dialog: it keeps the focus, closes with Escape and gives the focus back. */
function ask({ title, text, yes }: Question): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>("confirm");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function send(request: object): Promise<void> {
  try {
    const response = await fetch("/api/control", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(request),
    });
    if (response.status === 401) return location.assign("/login");
    const answer = (await response.json()) as { message?: string; error?: string };
    notify(answer.message ?? answer.error ?? "The server did not answer.");
  } catch {
    notify("The server can't be reached at the moment: nothing was done.");
  }
}

async function showJoinCommand(): Promise<void> {
  const { joinCommand } = (await (await fetch("/api/session")).json()) as SessionView;
  const place = byId("join-command");
  setText(place, joinCommand ?? "");
  byId("copy").addEventListener("click", () => {
    const copying = navigator.clipboard?.writeText(place.textContent ?? "") ?? Promise.reject();
    copying.then(
      () => notify("Copied."),
      () => {
        // Pages without TLS have no clipboard: the command is selected, to be copied with the keyboard.
        getSelection()?.selectAllChildren(place);
        notify("Selected: copy it with the keyboard.");
      },
    );
  });
}

let hiding: ReturnType<typeof setTimeout> | undefined;

function notify(text: string): void {
  const notice = byId("notice");
  setText(notice, text);
  notice.dataset.shown = "yes";
  clearTimeout(hiding);
  hiding = setTimeout(() => delete notice.dataset.shown, NOTICE_MS);
}
