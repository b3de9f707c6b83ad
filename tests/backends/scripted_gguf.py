"""A small model file of the llama architecture that says fixed texts: real for a real server, the same every time, about 7 MB.

    python -m tests.backends.scripted_gguf FILE [NAME] [--embedding]

Attention and feed-forward weights of its single layer are zero, so the next token depends on the last one only: the output row of a token is
the embedding of the token that comes before it. Whatever the sampling settings, the last token of the prompt decides what is said:

    <|say|>    SAY, a sentence in which the two bytes of one letter are two tokens
    <|count|>  the numbers 1 to 2000: long streams
    <|think|>  a <think> block and an answer
    <|call|>   a tool call in Hermes style: get_weather for Paris

The chat template puts <|call|> when tools are given and the user spoke last, <|think|> when enable_thinking is true, <|count|> when the last
message has "count" in it, else <|say|>. llama.cpp sets enable_thinking unless a request's chat_template_kwargs say otherwise.
"""

import sys
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

WIDTH, HEADS, FEED, CONTEXT = 256, 8, 32, 4096
SPACE = "\u2581"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6

SAID = "The quick brown fox jumps over the lazy dog while a café owner pours seven cups of strong black coffee."
"""What a chat answers, as the server gives it."""

WORDS = [f"{SPACE}{word}" for word in SAID.removesuffix(".").split(" ")]
SAY = [piece for word in WORDS for piece in ((f"{SPACE}caf", "<0xC3>", "<0xA9>") if word == f"{SPACE}café" else (word,))] + ["."]
COUNT = [f"{SPACE}{number}" for number in range(1, 2001)]
THINK = ["<think>", f"{SPACE}First", f"{SPACE}consider", f"{SPACE}both", f"{SPACE}sides", ",", "</think>", f"{SPACE}Therefore", f"{SPACE}yes", "!"]
CALL = ["<tool_call>", "<0x0A>", '{"name"', f":{SPACE}", '"get_weather"', f",{SPACE}", '"arguments"', f":{SPACE}{{"]
CALL += ['"city', f'":{SPACE}"', "Paris", '"}', "}\n", "</tool_call>"]
STARTS = {"<|say|>": SAY, "<|count|>": COUNT, "<|think|>": THINK, "<|call|>": CALL}
ROLES = ["<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"]
MARKS = ["<think>", "</think>", "<tool_call>", "</tool_call>"]

TEMPLATE = """\
{%- if tools %}<|system|>Call a tool as <tool_call>\n{"name": name, "arguments": object}\n</tool_call>
<tools>
{%- for tool in tools %}
{{ tool | tojson }}
{%- endfor %}
</tools>
{% endif %}
{%- for message in messages %}<|{{ message.role }}|>
{%- if message.reasoning_content %}<think>
{{ message.reasoning_content }}
</think>
{% endif %}{{ message.content or '' }}
{%- for call in message.tool_calls or [] %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}
{% endfor %}
{%- if add_generation_prompt %}<|assistant|>
{%- if tools and messages[-1].role == 'user' %}<|call|>
{%- elif enable_thinking is defined and enable_thinking %}<|think|>
{%- elif 'count' in (messages[-1].content or '') %}<|count|>
{%- else %}<|say|>
{%- endif %}{% endif %}"""


def write(path: Path, name: str = "scripted", *, embedding: bool = False) -> None:
    """Write the model file. embedding=True makes it an embedding model: the mean of its token embeddings, WIDTH wide."""
    tokens = _vocabulary()
    writer = gguf.GGUFWriter(str(path), "llama")
    _add_facts(writer, name)
    _add_tokenizer(writer, tokens)
    if embedding:
        writer.add_pooling_type(gguf.PoolingType.MEAN)
    _add_weights(writer, list(tokens))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary() -> dict[str, int]:
    """Token -> type, in the order of the ids."""
    tokens = {"<unk>": UNKNOWN, "<s>": CONTROL, "</s>": CONTROL}
    tokens |= {f"<0x{byte:02X}>": BYTE for byte in range(256)}
    tokens |= dict.fromkeys([*STARTS, *ROLES], CONTROL) | dict.fromkeys(MARKS, USER_DEFINED)
    for chain in STARTS.values():
        for token in chain:
            tokens.setdefault(token, NORMAL)
    return tokens


def _add_facts(writer: gguf.GGUFWriter, name: str) -> None:
    writer.add_name(name)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_file_type(0)
    writer.add_chat_template(TEMPLATE)


def _add_tokenizer(writer: gguf.GGUFWriter, tokens: dict[str, int]) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([token.encode() for token in tokens])
    writer.add_token_scores([-float(i) for i in range(len(tokens))])
    writer.add_token_types(list(tokens.values()))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)


def _add_weights(writer: gguf.GGUFWriter, tokens: list[str]) -> None:
    embedding = np.random.default_rng(0).standard_normal((len(tokens), WIDTH)).astype(np.float32)
    embedding /= np.linalg.norm(embedding, axis=1, keepdims=True)
    writer.add_tensor("token_embd.weight", embedding)
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    writer.add_tensor("output.weight", _successions(tokens, embedding))
    for norm in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{norm}.weight", np.ones(WIDTH, np.float32))
    for projection in ("attn_q", "attn_k", "attn_v", "attn_output"):
        writer.add_tensor(f"blk.0.{projection}.weight", np.zeros((WIDTH, WIDTH), np.float32))
    writer.add_tensor("blk.0.ffn_gate.weight", np.zeros((FEED, WIDTH), np.float32))
    writer.add_tensor("blk.0.ffn_up.weight", np.zeros((FEED, WIDTH), np.float32))
    writer.add_tensor("blk.0.ffn_down.weight", np.zeros((WIDTH, FEED), np.float32))


def _successions(tokens: list[str], embedding: NDArray[np.float32]) -> NDArray[np.float32]:
    """The output matrix: after each token of a chain the next one is by far the likeliest."""
    index = {token: i for i, token in enumerate(tokens)}
    output = np.zeros_like(embedding)
    for start, chain in STARTS.items():
        for before, after in zip([start, *chain], [*chain, "</s>"], strict=True):
            output[index[after]] += 4 * embedding[index[before]]
    return output


if __name__ == "__main__":
    names = [word for word in sys.argv[1:] if not word.startswith("--")]
    write(Path(names[0]), *names[1:2], embedding="--embedding" in sys.argv)
