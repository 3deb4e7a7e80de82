"""The models of bench/models.ts in PyTorch, under the same names: layers in the same order, the same numbers of parameters."""
import torch
from torch import nn
from torch.nn import functional as F

CLASSES = 10
VOCABULARY = 65


def mlp(width: int) -> nn.Module:
    return nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, CLASSES))


def cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64 * 14 * 14, 128), nn.ReLU(), nn.Linear(128, CLASSES),
    )


class Block(nn.Module):
    """A basic block of ResNet: two 3x3 convolutions, and a 1x1 projection where the shape changes."""

    def __init__(self, channels_in: int, channels: int, stride: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False), nn.BatchNorm2d(channels), nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels),
        )
        same = stride == 1 and channels_in == channels
        self.shortcut = nn.Identity() if same else nn.Sequential(
            nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet18(width: int = 64) -> nn.Module:
    layers = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    channels_in = width
    for channels, stride in [(width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)]:
        layers += [Block(channels_in, channels, stride), Block(channels, channels, 1)]
        channels_in = channels
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8 * width, CLASSES))


class Attention(nn.Module):
    """Self-attention."""

    def __init__(self, width: int, heads: int, causal: bool = True, bias: bool = False, dropout: float = 0.0):
        super().__init__()
        self.heads, self.causal, self.dropout = heads, causal, dropout
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.out = nn.Linear(width, width, bias=bias)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=2))
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, dropout_p=dropout)
        return self.out(mixed.transpose(1, 2).reshape(batch, length, width))


class TransformerBlock(nn.Module):
    """Pre-norm, with a GELU."""

    def __init__(self, width: int, heads: int, mlp_width: int, causal: bool, bias: bool, dropout: float):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=bias), nn.LayerNorm(width, bias=bias)
        self.attention = Attention(width, heads, causal, bias, dropout)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, mlp_width, bias=bias), nn.GELU(), nn.Linear(mlp_width, width, bias=bias))
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        x = x + self.drop(self.attention(self.norm1(x)))
        return x + self.drop(self.feed_forward(self.norm2(x)))


class Gpt(nn.Module):
    """Pre-norm nanoGPT without biases; its first and last layer share their weights."""

    def __init__(self, layers: int, heads: int, width: int, context: int, dropout: float = 0.0):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, width)
        self.positions = nn.Parameter(0.02 * torch.randn(context, width))
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.Sequential(
            *(TransformerBlock(width, heads, 4 * width, True, False, dropout) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(self, ids):
        x = self.drop(self.tokens(ids) + self.positions)
        return F.linear(self.norm(self.blocks(x)), self.tokens.weight).flatten(0, 1)


class Vit(nn.Module):
    """A ViT for square images of three colours, cut into square patches, with a class token before them."""

    def __init__(self, layers: int, heads: int, width: int, side: int = 32, patch: int = 4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn((side // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(
            *(TransformerBlock(width, heads, width, False, True, 0.0) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.classes = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], 1, -1), x], 1) + self.positions
        return self.classes(self.norm(self.blocks(x))[:, 0])


MODELS = {
    "mlp": lambda: mlp(512),
    "mlp-10m": lambda: mlp(2750),
    "cnn": cnn,
    "resnet18": resnet18,
    "gpt": lambda: Gpt(layers=4, heads=4, width=128, context=128),
}
