/**
 * Prepares the page for paper: light colours, and everything unfolded. Canvases keep the colours with which they were
 * drawn, so `draw` is called before printing and after it.
 */
export function onPrint(draw: () => void): void {
  let opened: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    opened = [...document.querySelectorAll<HTMLDetailsElement>("details:not([open])")];
    for (const details of opened) details.open = true;
    draw();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    for (const details of opened) details.open = false;
    draw();
  });
}
