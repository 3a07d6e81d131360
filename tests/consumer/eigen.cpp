#include <Eigen/Dense>
#include <weft/weft.hpp>

using namespace Eigen;
using namespace weft;

int main() {
    using weft::Dense, weft::Sequential;  // Eigen has other things of these names

    RowMajorMatrix<float> points(4, 2);
    points << 0, 0, 0, 1, 1, 0, 1, 1;
    const VectorXi labels{{0, 1, 1, 1}};  // logical or

    Sequential model{Dense{.units = 8, .activation = Activation::tanh},
                     Dense{.units = 2, .activation = softmax}};
    Trainer trainer(model, {.optimizer = Adam{.learning_rate = 0.05},
                            .loss = SparseCategoricalCrossentropy{},
                            .metrics = {Accuracy{}}});
    trainer.fit(points, labels, {.epochs = 100, .verbosity = Verbosity::silent});

    Tensor<float> all = model.predict(points);                            // (4, 2)
    Tensor<float> two = model.predict(points.middleRows(1, 2));           // (2, 2)
    Tensor<float> one = model.predict(Vector2f(1, 1));                    // (2)
    const MatrixXf columns = MatrixXf::Ones(2, 3);                        // Eigen's usual order
    all = model.predict(RowMajorMatrix<float>(2 * columns.transpose()));  // (3, 2)

    RowMajorMatrix<float> mine(4, 2);
    model.predict(as_view(points), as_view(mine));
    return mine(3, 1) > 0.5f && as_matrix(two)(0, 1) > 0.5f && one[1] > 0.5f ? 0 : 1;
}
