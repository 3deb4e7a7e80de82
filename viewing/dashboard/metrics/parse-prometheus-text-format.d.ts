declare module "parse-prometheus-text-format" {
  /** The families of a scrape. */
  export default function parse(text: string): unknown[];
}
