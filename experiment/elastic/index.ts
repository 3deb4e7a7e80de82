export { type ElasticResult, type ElasticVerdict, FLOORS_MAX, judgeElastic } from "./compare.js";
export { drawElastic } from "./figure.js";
