"""Makes tests/fixtures/gguf/<family>.gguf of tests/fixtures/tiny/<family>, as llama.cpp's converter would, and quantised
ones of some families as its llama-quantize would.

Names come from the tables of llama.cpp's own package (pip install gguf safetensors numpy); what its converter does to
tensors and which keys it writes is followed from its `conversion` folder.
"""

import json
import sys
from pathlib import Path

import gguf
from safetensors.numpy import load_file

FIXTURES = Path(__file__).parent.parent / "fixtures"
ARCH = gguf.MODEL_ARCH
FAMILIES = {
    "qwen2": ARCH.QWEN2,
    "qwen3": ARCH.QWEN3,
    "gemma2": ARCH.GEMMA2,
    "gemma3": ARCH.GEMMA3,
    "phi3": ARCH.PHI3,
    "gpt2": ARCH.GPT2,
}


def metadata(family, config, out):
    """The keys of set_gguf_parameters."""
    if family == "gpt2":
        out.add_block_count(config["n_layer"])
        out.add_context_length(config["n_positions"])
        out.add_embedding_length(config["n_embd"])
        out.add_feed_forward_length(4 * config["n_embd"])
        out.add_head_count(config["n_head"])
        out.add_layer_norm_eps(config["layer_norm_epsilon"])
        return
    rope = config["rope_parameters"]
    rope = rope.get("full_attention", rope)
    out.add_block_count(config["num_hidden_layers"])
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(config["num_attention_heads"])
    out.add_head_count_kv(config["num_key_value_heads"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    if family == "phi3":
        out.add_rope_scaling_orig_ctx_len(config["original_max_position_embeddings"])
        out.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
        out.add_sliding_window(config["sliding_window"] or 0)
    if family != "gemma2":
        out.add_rope_freq_base(rope["rope_theta"])
    if "head_dim" in config:
        out.add_key_length(config["head_dim"])
        out.add_value_length(config["head_dim"])
    if family.startswith("gemma"):
        out.add_sliding_window(config["sliding_window"])
    if family == "gemma3":
        # The converter leaves it to llama.cpp's 6, which is more layers than the tiny model has.
        out.add_sliding_window_pattern(1 + config["layer_types"].index("full_attention"))
    if family == "gemma2":
        out.add_attn_logit_softcapping(config["attn_logit_softcapping"])
        out.add_final_logit_softcapping(config["final_logit_softcapping"])


def stored(family, name, tensor):
    """What modify_tensors makes of a tensor."""
    if family.startswith("gemma") and name.endswith("norm.weight"):
        return tensor + 1
    if family == "llama" and name.endswith(("q_proj.weight", "k_proj.weight")):
        # LlamaModel.permute
        width = 8
        return tensor.reshape(-1, 2, width // 2, tensor.shape[1]).swapaxes(1, 2).reshape(tensor.shape).copy()
    turned = (".c_attn.weight", ".c_proj.weight", ".c_fc.weight")
    if family == "gpt2" and name.endswith(turned):
        return tensor.T.copy()
    return tensor


def make(family, tiny, arch, file, kinds=()):
    """`kinds`: of linear layers and of the embedding, where their rows are whole blocks."""
    folder = FIXTURES / "tiny" / tiny
    config = json.loads((folder / "config.json").read_text())
    tensors = load_file(folder / "model.safetensors")
    path = FIXTURES / "gguf" / file
    out = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    metadata(family, config, out)
    names = gguf.get_tensor_name_map(arch, config.get("num_hidden_layers", config.get("n_layer")))
    for name, tensor in tensors.items():
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            sys.exit(f"{family}: llama.cpp has no name for {name}")
        tensor = stored(family, name, tensor)
        kind = kinds and kinds["token_embd" in new or new.startswith("output.")]
        if kind and tensor.ndim == 2 and tensor.shape[1] % 32 == 0 and "position" not in new:
            out.add_tensor(new, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
        else:
            out.add_tensor(new, tensor)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    print(path.name, path.stat().st_size)


for family, arch in FAMILIES.items():
    make(family, family, arch, f"{family}.gguf")
KIND = gguf.GGMLQuantizationType
make("llama", "llama_tied", ARCH.LLAMA, "llama_q4_1.gguf", (KIND.Q4_1, KIND.Q8_0))
make("gpt2", "gpt2", ARCH.GPT2, "gpt2_q5_0.gguf", (KIND.Q5_0, KIND.Q5_1))
make("qwen3", "qwen3", ARCH.QWEN3, "qwen3_q4_0.gguf", (KIND.Q4_0, KIND.Q8_0))
