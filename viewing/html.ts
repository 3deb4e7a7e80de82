/** Parts of HTML that the dashboard and reports have in common. Every text is escaped for the place where it is put. */
import { count } from "../shared/format.js";
import type { ChartDefinition } from "./charts/index.js";
import type { DetailGroup, LayerSummary } from "./details/index.js";

export function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A chart's place, for a script to fill. */
export function figure({
  id,
  title,
  note,
  hasAxisButton,
}: Pick<ChartDefinition, "id" | "title" | "note" | "hasAxisButton">): string {
  const axis = hasAxisButton
    ? `<button type="button" class="axis" aria-label="${html(title)}: log axis" aria-pressed="false">log</button>`
    : "";
  return `<figure class="card" id="${id}" aria-labelledby="${id}-title"><figcaption><h2 id="${id}-title">${html(title)}</h2>${axis}<small>${html(note)}</small></figcaption><div class="plot" role="img" aria-label="${html(title)}: no data yet"></div></figure>`;
}

/** A section that is folded until a person opens it. */
export function folded(title: string, content: string): string {
  return content === "" ? "" : `<details class="more"><summary><h2>${html(title)}</h2></summary>${content}</details>`;
}

export function detailGroups(groups: readonly DetailGroup[]): string {
  const shown = groups.filter(({ rows }) => rows.length > 0);
  return `<div class="groups">${shown.map(detailGroup).join("")}</div>`;
}

function detailGroup({ title, rows }: DetailGroup): string {
  const list = rows.map(([name, value]) => `<div><dt>${html(name)}</dt><dd>${html(value)}</dd></div>`);
  return `<section class="card"><h3>${html(title)}</h3><dl class="details">${list.join("")}</dl></section>`;
}

export interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  /** Has its own line where rows are cards. */
  readonly isWide?: boolean;
}

/** The attribute of a column's cells. */
export function classOf({ isNumber, isWide }: Column): string {
  return isNumber ? ' class="number"' : isWide ? ' class="wide"' : "";
}

/** A table whose rows are cards where there is no room for columns. Cells are HTML. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th scope="col"${classOf(column)}>${html(column.title)}</th>`).join("");
  const body = rows.map((cells) => {
    const all = cells.map((cell, i) => {
      const [name, scope] = i === 0 ? ["th", ' scope="row"'] : ["td", ""];
      return `<${name}${scope}${classOf(columns[i])} data-label="${html(columns[i].title)}">${cell}</${name}>`;
    });
    return `<tr>${all.join("")}</tr>`;
  });
  return `<table class="rows"><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

export function layersTable(layers: readonly LayerSummary[]): string {
  if (layers.length === 0) return "";
  const columns = [{ title: "Layer" }, { title: "Weights", isWide: true }, { title: "Parameters", isNumber: true }];
  const rows = layers.map(({ path, weights, parameters, isTrained }) => {
    return [html(path), html(weights), `${count(parameters)}${isTrained ? "" : " (not trained)"}`];
  });
  return `<div class="card">${table(columns, rows)}</div>`;
}
