// A CommonJS module takes the package by import().
export async function main(): Promise<void> {
  const { train } = await import("isobatch");
  const run = await train("mnist", { steps: 1 });
  await run.result;
}
