def training_case(name, units, activation, loss, optimizer, x, y, x_val, y_val, seed):
    """Flatten -> Dense(7, relu) -> Dense(units, activation), four epochs over batches of five, in order."""
    batch_size, epochs = 5, 4
    rng = np.random.default_rng(seed)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(7, activation="relu"),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    model.set_weights([normal(rng, weight.shape, 0.5) for weight in model.weights])
    initial = model.get_weights()

    classifies = activation != "linear"
    model.compile(optimizer, loss, metrics=["accuracy"] if classifies else None, jit_compile=False)
    history = model.fit(
        x, y, batch_size=batch_size, epochs=epochs, shuffle=False, validation_data=(x_val, y_val), verbose=0
    ).history
    case = {
        "name": name,
        "units": units,
        "activation": activation,
        "loss": {"type": type(loss).__name__},
        "optimizer": {"type": type(optimizer).__name__, "options": options_of(optimizer)},
        "batch_size": batch_size,
        "epochs": epochs,
        "initial_weights": [tensor(weight) for weight in initial],
        "x": tensor(x),
        "y": tensor(y),
        "x_val": tensor(x_val),
        "y_val": tensor(y_val),
        "history": history,
        "final_weights": [tensor(weight) for weight in model.get_weights()],
        "predictions": tensor(model.predict(x_val, batch_size=batch_size, verbose=0)),
        "evaluate": model.evaluate(x_val, y_val, batch_size=batch_size, verbose=0, return_dict=True),
    }
    if classifies:
        case["loss"]["from_logits"] = False
    return case


def training_cases():
    rng = np.random.default_rng(8)
    train, validation, shape, classes = 23, 9, (3, 2), 4
    x = normal(rng, (train + validation, *shape))
    flat = x.reshape(len(x), -1)
    scores = flat @ rng.standard_normal((flat.shape[1], classes))
    labels = scores.argmax(axis=1)
    positive = (scores[:, :1] > 0).astype(np.float64)
    regression = scores[:, :2].round(3)

    def case(name, units, activation, loss, optimizer, y, seed):
        return training_case(
            name, units, activation, loss, optimizer,
            x[:train], y[:train], x[train:], y[train:], seed,
        )  # fmt: skip

    # Seeds of the weights under which accuracy changes every epoch and no unit comes near a tie or a kink.
    losses = keras.losses
    return [
        case("sparse", classes, "softmax", losses.SparseCategoricalCrossentropy(), adam(0.01), labels, 48),
        case("one_hot", classes, "softmax", losses.CategoricalCrossentropy(), adam(0.01), one_hot(labels, classes), 47),
        case("binary", 1, "sigmoid", losses.BinaryCrossentropy(), adam(0.01), positive, 49),
        case("regression", 2, "linear", losses.MeanSquaredError(), keras.optimizers.SGD(), regression, 50),
    ]
