#!/usr/bin/env python3
"""Writes the shipped networks, workloads/*.json (accsim-net/1).

The image networks follow torchvision's definitions with batch normalisation folded into the convolution before it
(so every convolution has a bias); BERT follows "BERT: Pre-training of Deep Bidirectional Transformers", Devlin et al.,
NAACL 2019, base size. tests/reference/test_workloads.cpp holds the results against known figures. The networks that
docs/networks.md calls "converted" come from exported graphs (accsim convert), not from here.

usage: scripts/make_workloads.py [folder]       (default: workloads/ beside scripts/)
"""
import json
import pathlib
import sys


class Net:
    """Collects layers; every method adds one and returns the name of its output tensor."""

    def __init__(self, name, source, inputs):
        self.head = {"schema": "accsim-net/1", "name": name, "_source": source, "precision": "int8", "inputs": inputs}
        self.weights = []
        self.layers = []

    def layer(self, name, op, inputs, **attributes):
        inputs = [inputs] if isinstance(inputs, str) else inputs
        self.layers.append({"name": name, "op": op, "inputs": inputs, **attributes})
        return name

    def weight(self, name, shape):
        self.weights.append({"name": name, "shape": shape})
        return name

    def conv(self, name, x, channels, kernel, stride=1, pad=0, **attributes):
        if stride != 1:
            attributes["strides"] = [stride, stride]
        if pad != 0:
            attributes["pads"] = [pad] * 4
        return self.layer(name, "Conv", x, out_channels=channels, kernel_shape=[kernel, kernel], **attributes)

    def relu(self, name, x):
        return self.layer(name, "Relu", x)

    def conv_relu(self, name, x, channels, kernel, stride=1, pad=0, **attributes):
        return self.relu(name + ".relu", self.conv(name, x, channels, kernel, stride, pad, **attributes))

    def pool(self, name, op, x, kernel, stride, pad=0, **attributes):
        if pad != 0:
            attributes["pads"] = [pad] * 4
        return self.layer(name, op, x, kernel_shape=[kernel, kernel], strides=[stride, stride], **attributes)

    def linear(self, name, x, features):
        return self.layer(name, "Gemm", x, out_features=features, transB=1)

    def classifier(self, x, name, classes=1000):
        x = self.layer("avgpool", "GlobalAveragePool", x)
        x = self.layer("flatten", "Flatten", x)
        return self.linear(name, x, classes)

    def part(self, name, source, last):
        """The first layers, up to and including this one, as a network of its own."""
        part = Net(name, source, self.head["inputs"])
        names = [layer["name"] for layer in self.layers]
        part.layers = self.layers[: names.index(last) + 1]
        return part

    def write(self, folder):
        lines = ["{"]
        for key, value in self.head.items():
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)},")
        for key, items in (("weights", self.weights), ("layers", self.layers)):
            if not items:
                continue
            lines.append(f'  "{key}": [')
            lines += ["    " + json.dumps(item) + "," for item in items[:-1]]
            lines += ["    " + json.dumps(items[-1]), "  ]" + ("," if key == "weights" else "")]
        lines.append("}")
        (folder / (self.head["name"] + ".json")).write_text("\n".join(lines) + "\n", encoding="utf-8")


def image():
    return [{"name": "input", "shape": [1, 3, 224, 224]}]


def torchvision(model):
    return f"torchvision 0.14 models.{model}, evaluation mode, batch normalisation folded"


def alexnet():
    net = Net("alexnet", torchvision("alexnet"), image())
    x = net.conv_relu("features.0", "input", 64, 11, 4, 2)
    x = net.pool("features.2", "MaxPool", x, 3, 2)
    x = net.conv_relu("features.3", x, 192, 5, 1, 2)
    x = net.pool("features.5", "MaxPool", x, 3, 2)
    x = net.conv_relu("features.6", x, 384, 3, 1, 1)
    x = net.conv_relu("features.8", x, 256, 3, 1, 1)
    x = net.conv_relu("features.10", x, 256, 3, 1, 1)
    x = net.pool("features.12", "MaxPool", x, 3, 2)
    x = net.pool("avgpool", "AveragePool", x, 1, 1)  # adaptive to 6x6, which the input is
    x = net.layer("flatten", "Flatten", x)
    x = net.relu("classifier.1.relu", net.linear("classifier.1", x, 4096))
    x = net.relu("classifier.4.relu", net.linear("classifier.4", x, 4096))
    net.linear("classifier.6", x, 1000)
    return net


def vgg(depth, plan):
    net = Net(f"vgg{depth}", torchvision(f"vgg{depth}"), image())
    x = "input"
    index = 0
    for width in plan:
        if width == "M":
            x = net.pool(f"features.{index}", "MaxPool", x, 2, 2)
            index += 1
        else:
            x = net.conv_relu(f"features.{index}", x, width, 3, 1, 1)
            index += 2
    x = net.pool("avgpool", "AveragePool", x, 1, 1)  # adaptive to 7x7, which the input is
    x = net.layer("flatten", "Flatten", x)
    x = net.relu("classifier.0.relu", net.linear("classifier.0", x, 4096))
    x = net.relu("classifier.3.relu", net.linear("classifier.3", x, 4096))
    net.linear("classifier.6", x, 1000)
    return net


def vgg16():
    return vgg(16, [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"])


def vgg19():
    return vgg(19, [64, 64, "M", 128, 128, "M"] + [256] * 4 + ["M"] + [512] * 4 + ["M"] + [512] * 4 + ["M"])


def resnet(depth, blocks, bottleneck):
    net = Net(f"resnet{depth}", torchvision(f"resnet{depth}"), image())
    x = net.conv_relu("conv1", "input", 64, 7, 2, 3)
    x = net.pool("maxpool", "MaxPool", x, 3, 2, 1)
    channels = 64
    for stage, count in enumerate(blocks):
        width = 64 << stage
        out = width * 4 if bottleneck else width
        for block in range(count):
            name = f"layer{stage + 1}.{block}"
            stride = 2 if stage > 0 and block == 0 else 1
            if bottleneck:
                y = net.conv_relu(name + ".conv1", x, width, 1)
                y = net.conv_relu(name + ".conv2", y, width, 3, stride, 1)
                y = net.conv(name + ".conv3", y, out, 1)
            else:
                y = net.conv_relu(name + ".conv1", x, width, 3, stride, 1)
                y = net.conv(name + ".conv2", y, width, 3, 1, 1)
            if block == 0 and (stride != 1 or channels != out):
                x = net.conv(name + ".downsample", x, out, 1, stride)
            x = net.relu(name + ".relu", net.layer(name + ".add", "Add", [y, x]))
            channels = out
    net.classifier(x, "fc")
    return net


def resnet18():
    return resnet(18, [2, 2, 2, 2], False)


def resnet50():
    return resnet(50, [3, 4, 6, 3], True)


def mobilenet_v2():
    net = Net("mobilenet_v2", torchvision("mobilenet_v2"), image())

    def conv_relu6(name, x, *args, **attributes):
        return net.layer(name + ".relu6", "Clip", net.conv(name, x, *args, **attributes), min=0, max=6)

    x = conv_relu6("features.0", "input", 32, 3, 2, 1)
    channels = 32
    index = 1
    for expand, out, count, first_stride in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2),
                                             (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
        for block in range(count):
            name = f"features.{index}"
            stride = first_stride if block == 0 else 1
            hidden = channels * expand
            y = conv_relu6(name + ".expand", x, hidden, 1) if expand != 1 else x
            y = conv_relu6(name + ".depthwise", y, hidden, 3, stride, 1, group=hidden)
            y = net.conv(name + ".project", y, out, 1)
            x = net.layer(name + ".add", "Add", [x, y]) if stride == 1 and channels == out else y
            channels = out
            index += 1
    x = conv_relu6("features.18", x, 1280, 1)
    net.classifier(x, "classifier.1")
    return net


def squeezenet1_1():
    net = Net("squeezenet1_1", torchvision("squeezenet1_1"), image())
    x = net.conv_relu("features.0", "input", 64, 3, 2)
    x = net.pool("features.2", "MaxPool", x, 3, 2, ceil_mode=1)
    for index, item in enumerate([(16, 64), (16, 64), "M", (32, 128), (32, 128), "M",
                                  (48, 192), (48, 192), (64, 256), (64, 256)], 3):
        name = f"features.{index}"
        if item == "M":
            x = net.pool(name, "MaxPool", x, 3, 2, ceil_mode=1)
            continue
        squeeze, expand = item
        s = net.conv_relu(name + ".squeeze", x, squeeze, 1)
        a = net.conv_relu(name + ".expand1x1", s, expand, 1)
        b = net.conv_relu(name + ".expand3x3", s, expand, 3, 1, 1)
        x = net.layer(name + ".concat", "Concat", [a, b], axis=1)
    x = net.conv_relu("classifier.1", x, 1000, 1)
    x = net.layer("avgpool", "GlobalAveragePool", x)
    net.layer("flatten", "Flatten", x)
    return net


def googlenet():
    net = Net("googlenet", torchvision("googlenet") + ", auxiliary classifiers off; the branch called 5x5 in the paper "
              "is 3x3 there", image())
    x = net.conv_relu("conv1", "input", 64, 7, 2, 3)
    x = net.pool("maxpool1", "MaxPool", x, 3, 2, ceil_mode=1)
    x = net.conv_relu("conv2", x, 64, 1)
    x = net.conv_relu("conv3", x, 192, 3, 1, 1)
    x = net.pool("maxpool2", "MaxPool", x, 3, 2, ceil_mode=1)
    for name, *w in [("3a", 64, 96, 128, 16, 32, 32), ("3b", 128, 128, 192, 32, 96, 64), ("maxpool3", 3),
                     ("4a", 192, 96, 208, 16, 48, 64), ("4b", 160, 112, 224, 24, 64, 64),
                     ("4c", 128, 128, 256, 24, 64, 64), ("4d", 112, 144, 288, 32, 64, 64),
                     ("4e", 256, 160, 320, 32, 128, 128), ("maxpool4", 2),
                     ("5a", 256, 160, 320, 32, 128, 128), ("5b", 384, 192, 384, 48, 128, 128)]:
        if name.startswith("maxpool"):
            x = net.pool(name, "MaxPool", x, w[0], 2, ceil_mode=1)
            continue
        name = "inception" + name
        a = net.conv_relu(name + ".branch1", x, w[0], 1)
        b = net.conv_relu(name + ".branch2.0", x, w[1], 1)
        b = net.conv_relu(name + ".branch2.1", b, w[2], 3, 1, 1)
        c = net.conv_relu(name + ".branch3.0", x, w[3], 1)
        c = net.conv_relu(name + ".branch3.1", c, w[4], 3, 1, 1)
        d = net.pool(name + ".branch4.0", "MaxPool", x, 3, 1, 1, ceil_mode=1)
        d = net.conv_relu(name + ".branch4.1", d, w[5], 1)
        x = net.layer(name + ".concat", "Concat", [a, b, c, d], axis=1)
    net.classifier(x, "fc")
    return net


def bert_base(sequence=128):
    width, heads, hidden, layers, vocabulary = 768, 12, 3072, 12, 30522
    net = Net("bert_base" if sequence == 128 else f"bert_base_s{sequence}",
              f"BERT base, uncased vocabulary, sequence {sequence}: Devlin et al., NAACL 2019. Only the {sequence} position "
              "rows in use are kept. attention_mask is the additive mask (0 or a large negative number). The factor 1/sqrt(64) is "
              "folded into the query projection. The first token is taken by a pooling window of 1 with stride " + f"{sequence}.",
              [{"name": "input_ids", "shape": [1, sequence]}, {"name": "token_type_ids", "shape": [1, sequence]},
               {"name": "attention_mask", "shape": [1, 1, 1, sequence]}])
    words = net.layer("embeddings.word", "Gather", [net.weight("word_table", [vocabulary, width]), "input_ids"], axis=0)
    types = net.layer("embeddings.type", "Gather", [net.weight("type_table", [2, width]), "token_type_ids"], axis=0)
    x = net.layer("embeddings.add_type", "Add", [words, types])
    x = net.layer("embeddings.add_position", "Add", [x, net.weight("position_table", [sequence, width])])
    x = net.layer("embeddings.norm", "LayerNormalization", x, epsilon=1e-12)
    x = net.layer("embeddings.rows", "Reshape", x, shape=[-1, width])

    def split_heads(name, x, perm):
        x = net.layer(name + ".split", "Reshape", x, shape=[-1, sequence, heads, width // heads])
        return net.layer(name + ".heads", "Transpose", x, perm=perm)

    for i in range(layers):
        name = f"layer.{i}"
        q = split_heads(name + ".query", net.linear(name + ".query", x, width), [0, 2, 1, 3])
        k = split_heads(name + ".key", net.linear(name + ".key", x, width), [0, 2, 3, 1])
        v = split_heads(name + ".value", net.linear(name + ".value", x, width), [0, 2, 1, 3])
        s = net.layer(name + ".scores", "MatMul", [q, k])
        s = net.layer(name + ".mask", "Add", [s, "attention_mask"])
        s = net.layer(name + ".softmax", "Softmax", s, axis=-1)
        c = net.layer(name + ".context", "MatMul", [s, v])
        c = net.layer(name + ".context.tokens", "Transpose", c, perm=[0, 2, 1, 3])
        c = net.layer(name + ".context.rows", "Reshape", c, shape=[-1, width])
        c = net.linear(name + ".attention_output", c, width)
        x = net.layer(name + ".attention_add", "Add", [c, x])
        x = net.layer(name + ".attention_norm", "LayerNormalization", x, epsilon=1e-12)
        h = net.layer(name + ".gelu", "Gelu", net.linear(name + ".intermediate", x, hidden))
        h = net.linear(name + ".output", h, width)
        x = net.layer(name + ".output_add", "Add", [h, x])
        x = net.layer(name + ".output_norm", "LayerNormalization", x, epsilon=1e-12)
    net.layer("hidden", "Reshape", x, shape=[-1, sequence, width])
    first = net.layer("pooler.plane", "Reshape", "hidden", shape=[-1, 1, sequence, width])
    first = net.layer("pooler.first", "MaxPool", first, kernel_shape=[1, 1], strides=[sequence, 1])
    first = net.layer("pooler.row", "Reshape", first, shape=[-1, width])
    net.layer("pooled", "Tanh", net.linear("pooler", first, width))
    net.head["outputs"] = ["hidden", "pooled"]
    return net


def yolov3_tiny():
    net = Net("yolov3_tiny",
              "YOLOv3-tiny at 416 x 416, 80 classes: Redmon and Farhadi, arXiv 1804.02767, and Darknet's yolov3-tiny.cfg. "
              "Batch normalisation folded; the maximum pooling of stride 1 has its padding at the end. Outputs before decoding.",
              [{"name": "input", "shape": [1, 3, 416, 416]}])

    def leaky(name, x, channels, kernel):
        x = net.conv(name, x, channels, kernel, 1, kernel // 2)
        return net.layer(name + ".leaky", "LeakyRelu", x, alpha=0.1)

    x = "input"
    for i, channels in enumerate((16, 32, 64, 128)):
        x = net.pool(f"pool{i}", "MaxPool", leaky(f"conv{i}", x, channels, 3), 2, 2)
    fine = leaky("conv4", x, 256, 3)
    x = leaky("conv5", net.pool("pool4", "MaxPool", fine, 2, 2), 512, 3)
    x = net.layer("pool5", "MaxPool", x, kernel_shape=[2, 2], pads=[0, 0, 1, 1])
    x = leaky("conv6", x, 1024, 3)
    x = leaky("conv7", x, 256, 1)
    net.conv("coarse", leaky("conv8", x, 512, 3), 255, 1)
    x = leaky("conv9", x, 128, 1)
    x = net.layer("upsample", "Resize", x, scales=[1, 1, 2, 2])
    x = net.layer("concat", "Concat", [x, fine], axis=1)
    net.conv("fine", leaky("conv10", x, 256, 3), 255, 1)
    net.head["outputs"] = ["coarse", "fine"]
    return net


def gpt3_6b7_layer(sequence=512):
    width, heads, hidden = 4096, 32, 16384
    net = Net("gpt3_6b7_layer",
              f"One decoder layer of GPT-3 6.7B, prefill of {sequence} tokens: Brown et al., NeurIPS 2020, table 2.1 (width "
              "4096, 32 heads of 128). Causal mask as an additive constant; the factor 1/sqrt(128) is folded into the query "
              "projection.", [{"name": "hidden", "shape": [sequence, width]}])
    mask = net.weight("mask", [sequence, sequence])
    x = net.layer("norm1", "LayerNormalization", "hidden")

    def split_heads(name, perm):
        y = net.layer(name + ".split", "Reshape", net.linear(name, x, width), shape=[-1, sequence, heads, width // heads])
        return net.layer(name + ".heads", "Transpose", y, perm=perm)

    s = net.layer("scores", "MatMul", [split_heads("query", [0, 2, 1, 3]), split_heads("key", [0, 2, 3, 1])])
    s = net.layer("softmax", "Softmax", net.layer("masked", "Add", [s, mask]), axis=-1)
    c = net.layer("context", "MatMul", [s, split_heads("value", [0, 2, 1, 3])])
    c = net.layer("context.tokens", "Transpose", c, perm=[0, 2, 1, 3])
    c = net.layer("context.rows", "Reshape", c, shape=[-1, width])
    x = y = net.layer("attention_add", "Add", [net.linear("projection", c, width), "hidden"])
    h = net.layer("gelu", "Gelu", net.linear("up", net.layer("norm2", "LayerNormalization", x), hidden), approximate="tanh")
    net.layer("out", "Add", [net.linear("down", h, width), y])
    return net


def convolution(kernel, channels, size, depthwise=False):
    name = f"{'dwconv' if depthwise else 'conv'}{kernel}x{kernel}_{channels}_{size}"
    net = Net(name, f"one convolution for characterisation: {kernel} x {kernel}, {channels} channels in and out, {size} x {size}",
              [{"name": "x", "shape": [1, channels, size, size]}])
    attributes = {"group": channels} if depthwise else {}
    net.conv("conv", "x", channels, kernel, 1, kernel // 2, bias=False, **attributes)
    return net


def gemm(name, m, n):
    net = Net(name, f"matrix product: {m} x {n} times {n} x {n}", [{"name": "a", "shape": [m, n]}])
    net.layer("gemm", "Gemm", "a", out_features=n, bias=False)
    return net


def squeezenet_half():
    return squeezenet1_1().part("squeezenet1_1_half", "the first half of squeezenet1_1, up to its third pooling", "features.8")


def resnet18_part():
    return resnet18().part("resnet18_part", "the first ten operators of resnet18, activations not counted", "layer2.0.conv2")


# Two consecutive complex operators, with the activation between them that their network has.
def pair(name, source, shape, first, second, activation="Relu"):
    net = Net(name, source, [{"name": "input", "shape": shape}])
    x = first(net, "first", "input")
    if activation is not None:
        x = net.layer("activation", activation, x, **({"approximate": "tanh"} if activation == "Gelu" else {}))
    second(net, "second", x)
    return net


def conv_of(channels, kernel, group=1):
    attributes = {"group": group} if group > 1 else {}
    return lambda net, name, x: net.conv(name, x, channels, kernel, 1, kernel // 2, **attributes)


def gemm_of(features):
    return lambda net, name, x: net.linear(name, x, features)


def pairs():
    def image_pair(kind, source, channels, size, first, second, activation="Relu"):
        name = f"{kind}_{channels}_{size}"
        return kind, pair(name, source, [1, channels, size, size], first, second, activation)

    def gemm_pair(source, rows, width, hidden):
        kind = "gemm-gemm"
        return kind, pair(f"{kind}_{rows}_{width}", source, [rows, width], gemm_of(hidden), gemm_of(width), "Gelu")

    return [
        image_pair("3x3-3x3", "ResNet-18, layer1.0", 64, 56, conv_of(64, 3), conv_of(64, 3)),
        image_pair("3x3-3x3", "ResNet-18, layer2.1", 128, 28, conv_of(128, 3), conv_of(128, 3)),
        image_pair("3x3-3x3", "ResNet-18, layer3.1", 256, 14, conv_of(256, 3), conv_of(256, 3)),
        image_pair("3x3-3x3", "VGG-16, conv2", 64, 112, conv_of(128, 3), conv_of(128, 3)),
        image_pair("1x1-3x3", "ResNet-50, layer1.1", 256, 56, conv_of(64, 1), conv_of(64, 3)),
        image_pair("1x1-3x3", "ResNet-50, layer2.1", 512, 28, conv_of(128, 1), conv_of(128, 3)),
        image_pair("1x1-3x3", "ResNet-50, layer3.1", 1024, 14, conv_of(256, 1), conv_of(256, 3)),
        image_pair("1x1-3x3", "ResNet-50, layer4.1", 2048, 7, conv_of(512, 1), conv_of(512, 3)),
        image_pair("3x3-1x1", "ResNet-50, layer1.1", 64, 56, conv_of(64, 3), conv_of(256, 1)),
        image_pair("3x3-1x1", "ResNet-50, layer2.1", 128, 28, conv_of(128, 3), conv_of(512, 1)),
        image_pair("3x3-1x1", "ResNet-50, layer3.1", 256, 14, conv_of(256, 3), conv_of(1024, 1)),
        image_pair("3x3-1x1", "ResNet-50, layer4.1", 512, 7, conv_of(512, 3), conv_of(2048, 1)),
        image_pair("1x1-1x1", "ResNet-50, end of layer1.0 and begin of layer1.1", 64, 56, conv_of(256, 1), conv_of(64, 1)),
        image_pair("1x1-1x1", "ResNet-50, end of layer2.0 and begin of layer2.1", 128, 28, conv_of(512, 1), conv_of(128, 1)),
        image_pair("1x1-1x1", "ResNet-50, end of layer3.0 and begin of layer3.1", 256, 14, conv_of(1024, 1), conv_of(256, 1)),
        image_pair("1x1-1x1", "MobileNetV2, end of block 2 and begin of block 3", 96, 56, conv_of(24, 1), conv_of(144, 1), None),
        image_pair("depthwise-pointwise", "MobileNet, block 1", 32, 112, conv_of(32, 3, 32), conv_of(64, 1)),
        image_pair("depthwise-pointwise", "MobileNet, block 3", 128, 56, conv_of(128, 3, 128), conv_of(128, 1)),
        image_pair("depthwise-pointwise", "MobileNet, block 5", 256, 28, conv_of(256, 3, 256), conv_of(256, 1)),
        image_pair("depthwise-pointwise", "MobileNet, block 7", 512, 14, conv_of(512, 3, 512), conv_of(512, 1)),
        gemm_pair("BERT-base, feed-forward of 128 tokens", 128, 768, 3072),
        gemm_pair("BERT-base, feed-forward of 512 tokens", 512, 768, 3072),
        gemm_pair("BERT-large, feed-forward of 128 tokens", 128, 1024, 4096),
        gemm_pair("BERT-mini, feed-forward of 128 tokens", 128, 256, 1024),
    ]


def write_pairs(folder):
    lines = ["{", '  "schema": "accsim-pairs/1",',
             '  "_source": "Two consecutive complex operators of known networks, to see what fusing them is worth: four of each '
             'kind.",', '  "pairs": [']
    entries = []
    for kind, net in pairs():
        document = {**net.head, "layers": net.layers}
        entries.append(f'    {{"kind": {json.dumps(kind)}, "net":\n      {json.dumps(document)}}}')
    lines.append(",\n".join(entries))
    lines += ["  ]", "}"]
    (folder / "pairs.json").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "workloads"
    folder.mkdir(parents=True, exist_ok=True)
    nets = [alexnet(), vgg16(), vgg19(), resnet18(), resnet50(), mobilenet_v2(), squeezenet1_1(), googlenet(), bert_base(),
            bert_base(512), yolov3_tiny(), gpt3_6b7_layer()]
    sizes = ((64, 56), (128, 28), (256, 14), (512, 7))
    nets += [convolution(kernel, *size) for kernel in (1, 3) for size in sizes]
    nets += [convolution(3, *size, depthwise=True) for size in sizes]
    nets += [gemm(f"gemm_{n}", n, n) for n in (512, 1024, 2048, 4096, 8192)]
    nets += [gemm(f"gemv_{n}", 1, n) for n in (1024, 2048, 4096, 8192)]
    nets += [squeezenet_half(), resnet18_part()]
    for net in nets:
        net.write(folder)
    write_pairs(folder)
    print(f"{len(nets)} networks in {folder}")


if __name__ == "__main__":
    main()
