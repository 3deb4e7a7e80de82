import { invalid } from "../shared/errors.js";
import { type Address, parseAddress } from "../shared/wire/address.js";
import type { TaskInput } from "../tasks/index.js";

/** Parsers of option values for commander: each returns the value, or throws one sentence that says what is wrong. */

/** A whole number from `min` to `max`. */
export function wholeNumber(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    return invalid(`${name} is "${text}"; it must be a whole number from ${min} to ${max}.`);
  };
}

/** κ: a whole number up to `max`, "2/worker", or "2/worker:1-64" with its minimum and maximum. */
export function kappaRule(
  name: string,
  max: number,
): (text: string) => Exclude<TaskInput["microBatchesPerStep"], undefined> {
  return (text) => {
    const [, perWorker, from, to] = /^(\d{1,9})\/worker(?::(\d{1,9})-(\d{1,9}))?$/.exec(text) ?? [];
    const count = wholeNumber(name, 1, max);
    if (perWorker !== undefined) {
      return { perWorker: count(perWorker), ...(from !== undefined && { min: count(from), max: count(to) }) };
    }
    if (/^\d+$/.test(text)) return count(text);
    return invalid(
      `${name} is "${text}"; it must be a whole number from 1 to ${max}, or a rule such as 2/worker or 2/worker:1-64.`,
    );
  };
}

/** A decimal number, with or without an exponent; callers check its range. */
export function number(name: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,20}(\.\d{1,20})?(e[+-]?\d{1,3})?$/i.test(text)) return Number(text);
    return invalid(`${name} is "${text}"; it must be a number such as 0.001 or 1e-3.`);
  };
}

/** FIELD=VALUE, given once or several times: the value as JSON, or as text if it is not JSON. */
export function fieldValue(name: string): (text: string, before?: FieldValues) => FieldValues {
  return (text, before = {}) => {
    const [, field, value] = /^([\w$]+(?:\.[\w$]+)*)=(.*)$/s.exec(text) ?? [];
    if (field === undefined) return invalid(`${name} is "${text}"; it must be FIELD=VALUE, such as learningRate=0.01.`);
    return { ...before, [field]: jsonOr(value) };
  };
}

type FieldValues = Readonly<Record<string, unknown>>;

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Words separated by commas. */
export function words(name: string): (text: string) => string[] {
  return (text) => {
    const list = text.split(",").map((word) => word.trim());
    return list.includes("") ? invalid(`${name} is "${text}"; it must be words separated by commas.`) : list;
  };
}

/** Numbers separated by commas. */
export function numbers(name: string): (text: string) => number[] {
  return (text) => words(name)(text).map(number(name));
}

export function wholeNumbers(name: string, min: number, max: number): (text: string) => number[] {
  return (text) => words(name)(text).map(wholeNumber(name, min, max));
}

/** A duration in seconds. */
export function seconds(name: string, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    if (value <= max) return value;
    return invalid(`${name} is "${text}"; it must be a number of seconds from 0 to ${max}.`);
  };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration with its unit, such as 90min or 30d, in ms. */
export function lifetime(name: string): (text: string) => number {
  return (text) => {
    const [, digits, unit] = /^(\d{1,6})(s|min|h|d)$/.exec(text) ?? [];
    const value = digits === undefined ? 0 : Number(digits) * UNITS_MS[unit];
    if (value > 0) return value;
    return invalid(`${name} is "${text}"; it must be a whole number with its unit, such as 90min, 12h or 30d.`);
  };
}

export function address(name: string): (text: string) => Address {
  return (text) => parseAddress(text, name);
}

/** One of a few words. */
export function oneOf<Word extends string>(name: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    return word ?? invalid(`${name} is "${text}"; it must be one of ${words.join(", ")}.`);
  };
}
