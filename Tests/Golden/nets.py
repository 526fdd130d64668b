"""Small nets in PyTorch with the shapes of well-known ones, and the well-known ones in full size."""
import io

import torch
from torch import nn


def conv_bn(inputs, outputs, kernel=3, stride=1, groups=1, activation=nn.ReLU):
    layers = [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(conv_bn(inputs, outputs, 3, stride), conv_bn(outputs, outputs, activation=None))
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_bn(inputs, outputs, 1, stride, activation=None)

    def forward(self, x):
        return torch.relu(self.body(x) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, channels, widths, blocks, classes, deep_stem):
        super().__init__()
        stem = [conv_bn(channels, widths[0], 7, 2), nn.MaxPool2d(3, 2, 1)] if deep_stem else [conv_bn(channels, widths[0])]
        layers, before = stem, widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks)):
            for index in range(count):
                layers.append(ResidualBlock(before, width, 2 if stage and index == 0 else 1))
                before = width
        self.body, self.head = nn.Sequential(*layers), nn.Linear(before, classes)

    def forward(self, x):
        return self.head(nn.functional.adaptive_avg_pool2d(self.body(x), 1).flatten(1))


class InvertedResidual(nn.Module):
    def __init__(self, inputs, outputs, stride, expand):
        super().__init__()
        hidden = inputs * expand
        first = [conv_bn(inputs, hidden, 1, activation=nn.ReLU6)] if expand != 1 else []
        self.body = nn.Sequential(*first, conv_bn(hidden, hidden, 3, stride, hidden, nn.ReLU6),
                                  conv_bn(hidden, outputs, 1, activation=None))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.body(x) if self.residual else self.body(x)


class MobileNetV2(nn.Module):
    FULL = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]

    def __init__(self, channels, stem, plan, last, classes):
        super().__init__()
        layers, before = [conv_bn(channels, stem, 3, 2, activation=nn.ReLU6)], stem
        for expand, width, count, stride in plan:
            for index in range(count):
                layers.append(InvertedResidual(before, width, stride if index == 0 else 1, expand))
                before = width
        layers.append(conv_bn(before, last, 1, activation=nn.ReLU6))
        self.body, self.head = nn.Sequential(*layers), nn.Sequential(nn.Dropout(.2), nn.Linear(last, classes))

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def vgg19(channels, divisor, classes, batch_norm, hidden, spatial):
    layers, before = [], channels
    for width, count in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        width //= divisor
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, 1, 1)] + ([nn.BatchNorm2d(width)] if batch_norm else []) + [nn.ReLU()]
            before = width
        layers.append(nn.MaxPool2d(2, 2))
    dense = [nn.Linear(before * spatial * spatial, hidden), nn.ReLU(), nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(),
             nn.Dropout(), nn.Linear(hidden, classes)]
    return nn.Sequential(*layers, nn.Flatten(), *dense)


class AttentionNet(nn.Module):
    """Squeeze and excitation, a concatenation, SiLU and an uneven kernel in one."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(1, 8, 3, 2), nn.LeakyReLU(.1))
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 8), nn.Sigmoid())
        self.wide, self.narrow = nn.Conv2d(8, 6, 5, padding=2), nn.Conv2d(8, 10, 1)
        self.pool, self.last = nn.AvgPool2d(3, 2, ceil_mode=True), conv_bn(16, 20, activation=nn.SiLU)
        self.head = nn.Linear(20, 7)

    def forward(self, x):
        x = self.stem(x)
        x = x * self.squeeze(x).view(x.shape[0], x.shape[1], 1, 1)
        x = torch.cat([torch.relu(self.wide(x)), self.narrow(x)], 1)
        return torch.softmax(self.head(self.last(self.pool(x)).mean((2, 3))), 1)


def lively(net):
    """Weights and statistics that keep the signal alive through every layer, unlike fresh ones."""
    torch.manual_seed(11)
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, .5, 1.5)
            nn.init.normal_(module.bias, std=.2)
            nn.init.normal_(module.running_mean, std=.2)
            nn.init.uniform_(module.running_var, .5, 2)
    return net.eval()


def export(net, shape, opset=13, dynamic=True):
    file = io.BytesIO()
    axes = {"input": {0: "N"}, "logits": {0: "N"}} if dynamic else None
    torch.onnx.export(lively(net), torch.zeros(1, *shape), file, input_names=["input"], output_names=["logits"],
                      dynamic_axes=axes, opset_version=opset, dynamo=False)
    return file.getvalue()


def small_nets():
    yield "net_resnet", export(ResNet(1, (8, 16, 24), (1, 1, 1), 7, False), (1, 48, 48)), (3, 1, 48, 48)
    yield "net_mobilenet", export(
        MobileNetV2(1, 8, [(1, 8, 1, 1), (4, 8, 2, 2), (4, 16, 2, 2)], 32, 7), (1, 48, 48)), (3, 1, 48, 48)
    yield "net_vgg19_bn", export(vgg19(3, 32, 7, True, 16, 1), (3, 48, 48)), (2, 3, 48, 48)
    yield "net_vgg19_fixed", export(vgg19(1, 64, 7, False, 16, 1), (1, 48, 48), dynamic=False), (3, 1, 48, 48)
    yield "net_attention", export(AttentionNet(), (1, 48, 48), opset=17), (3, 1, 48, 48)


def full_nets():
    yield "full_vgg19", export(vgg19(3, 1, 1000, False, 4096, 7), (3, 224, 224)), (1, 3, 224, 224)
    yield "full_resnet18", export(ResNet(3, (64, 128, 256, 512), (2, 2, 2, 2), 1000, True), (3, 224, 224)), (2, 3, 224, 224)
    yield "full_mobilenet", export(MobileNetV2(3, 32, MobileNetV2.FULL, 1280, 1000), (3, 224, 224)), (2, 3, 224, 224)
