"""VGG19 with a new seven-class head as a Keras user builds it, exported by tf2onnx: NHWC, transposes and all."""
import numpy as np
import tensorflow as tf
import tf2onnx


def lively(model):
    random = np.random.default_rng(3)
    for layer in model.layers:
        values = layer.get_weights()
        if values and values[0].ndim >= 2 and not isinstance(layer, tf.keras.layers.DepthwiseConv2D):
            fan_in = np.prod(values[0].shape[:-1])
            values[0] = random.standard_normal(values[0].shape).astype(np.float32) * np.sqrt(2 / fan_in)
            if len(values) > 1:
                values[1] = random.standard_normal(values[1].shape).astype(np.float32) * .1
            layer.set_weights(values)
    return model


def head(trunk, hidden):
    x = tf.keras.layers.Flatten()(trunk.output)
    x = tf.keras.layers.Dense(hidden, activation="relu")(x)
    x = tf.keras.layers.Dropout(.5)(x)
    return tf.keras.Model(trunk.input, tf.keras.layers.Dense(7, activation="softmax")(x))


def narrow_trunk(divisor, side):
    x = start = tf.keras.Input((side, side, 3))
    for width, count in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)):
        for _ in range(count):
            x = tf.keras.layers.Conv2D(width // divisor, 3, padding="same", activation="relu")(x)
        x = tf.keras.layers.MaxPooling2D(2, 2)(x)
    return tf.keras.Model(start, x)


def separable():
    """Strided SAME convolutions, batch norm, depthwise, a residual, ReLU6 and global pooling, in NHWC."""
    layers = tf.keras.layers
    start = tf.keras.Input((48, 48, 1))
    x = layers.Rescaling(1 / 2., offset=-.1)(start)
    x = layers.ReLU(6.)(layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)))
    y = layers.ReLU(6.)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)))
    y = layers.Add()([x, layers.Conv2D(8, 1)(y)])
    y = layers.Conv2D(16, 3, strides=2)(layers.ZeroPadding2D(((0, 1), (0, 1)))(y))
    y = layers.LeakyReLU()(y)
    gate = layers.Reshape((1, 1, 16))(layers.GlobalAveragePooling2D()(y))
    gate = layers.Conv2D(16, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
    y = layers.Concatenate()([layers.Multiply()([y, gate]), layers.AveragePooling2D(3, 1, padding="same")(y)])
    y = layers.Flatten()(layers.MaxPooling2D(3, 3)(y))
    return tf.keras.Model(start, layers.Dense(7)(y))


def export(model, opset=15):
    """Through a SavedModel-like function, as the tf2onnx command does it."""
    shape = model.inputs[0].shape
    signature = [tf.TensorSpec((None, *shape[1:]), tf.float32, name="input")]
    function = tf.function(lambda x: model(x, training=False), input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=opset)
    return proto


def exports(kind):
    if kind == "narrow":
        yield "keras_vgg19_narrow", export(lively(head(narrow_trunk(40, 64), 12))), (1, 3, 64, 64)
        yield "keras_separable", export(lively(separable())), (3, 1, 48, 48)
    else:
        trunk = tf.keras.applications.VGG19(include_top=False, weights=None, input_shape=(96, 96, 3))
        yield "keras_vgg19", export(lively(head(trunk, 256))), (2, 3, 96, 96)
