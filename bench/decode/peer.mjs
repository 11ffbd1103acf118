// One measurement of the peer: greedy text by llama.cpp on the processor, through node-llama-cpp. Prints one JSON object.
//
// The same as crates/train/examples/bench_write.rs measures: a prompt of so many tokens, then the time of the tokens
// after the first, which reads the prompt. The package lies in the folder given, outside the repository.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const { values } = parseArgs({
    options: {
        packages: { type: 'string' },
        model: { type: 'string' },
        tokens: { type: 'string', default: '64' },
        prompt: { type: 'string', default: '16' },
        threads: { type: 'string', default: '2' },
    },
});
const within = createRequire(path.join(path.resolve(values.packages), 'package.json'));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(within.resolve('node-llama-cpp')).href);

const threads = Number(values.threads);
const llama = await getLlama({
    gpu: false,
    build: 'never',
    progressLogs: false,
    logLevel: LlamaLogLevel.error,
    maxThreads: threads,
});
const model = await llama.loadModel({ modelPath: path.resolve(values.model), useMmap: true });
const [wanted, given] = [Number(values.tokens), Number(values.prompt)];
// llama.cpp's own choices, but for the length and the threads.
const context = await model.createContext({ contextSize: given + wanted + 8, sequences: 1, threads });
const sequence = context.getSequence();
const vocabulary = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
const prompt = Array.from({ length: given }, (_, i) => (i * 7919 + 17) % vocabulary);

const ids = [];
const began = performance.now();
let first = began;
for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(id);
    if (ids.length === 1) first = performance.now();
    if (ids.length === wanted) break;
}
const ended = performance.now();
const secs = (ended - first) / 1000;
console.log(
    JSON.stringify({
        tokens_per_sec: (ids.length - 1) / secs,
        prompt_tokens_per_sec: (1000 * given) / (first - began),
        secs,
        peak_bytes: process.resourceUsage().maxRSS * 1024,
        ids,
    }),
);
process.exit(0);
