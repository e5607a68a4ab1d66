// Takes Kubernetes objects as an API server does: unknown and doubled fields are errors, defaults are filled in, and its own validation
// has the last word (policies' expressions are compiled). Reads YAML documents from stdin, writes one line for each object, and ends
// with 1 when any was wrong.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/admissionregistration"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	admissionvalidation "k8s.io/kubernetes/pkg/apis/admissionregistration/validation"
	"k8s.io/kubernetes/pkg/apis/apps"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	appsvalidation "k8s.io/kubernetes/pkg/apis/apps/validation"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	batchvalidation "k8s.io/kubernetes/pkg/apis/batch/validation"
	"k8s.io/kubernetes/pkg/apis/core"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	corevalidation "k8s.io/kubernetes/pkg/apis/core/validation"
	"k8s.io/kubernetes/pkg/apis/networking"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
	"k8s.io/kubernetes/pkg/apis/rbac"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	rbacvalidation "k8s.io/kubernetes/pkg/apis/rbac/validation"
)

func main() {
	if err := monitoring.AddToScheme(legacyscheme.Scheme); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	codecs := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)
	documents := utilyaml.NewYAMLReader(bufio.NewReader(os.Stdin))
	isWrong := false
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println("wrong:", err)
			os.Exit(1)
		}
		if len(bytes.TrimSpace(withoutComments(document))) == 0 {
			continue
		}
		line, err := take(codecs, document)
		if err != nil {
			isWrong = true
			line = fmt.Sprint("wrong: ", err)
		}
		fmt.Println(line)
	}
	if isWrong {
		os.Exit(1)
	}
}

func take(codecs serializer.CodecFactory, document []byte) (string, error) {
	object, kind, err := codecs.UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return "", err
	}
	// An operator's kind has no internal form; its decoding is all that there is to check.
	if kind.Group != monitoring.SchemeGroupVersion.Group {
		if object, err = runtime.Decode(codecs.UniversalDecoder(), document); err != nil {
			return "", err
		}
		if errs := validate(object); len(errs) > 0 {
			return "", fmt.Errorf("%s: %w", kind.GroupKind(), errs.ToAggregate())
		}
	}
	accessor, err := meta.Accessor(object)
	if err != nil {
		return "", err
	}
	if accessor.GetName() == "" {
		return "", fmt.Errorf("%s has no name", kind.GroupKind())
	}
	return fmt.Sprintf("%s %s", kind.GroupKind(), accessor.GetName()), nil
}

func validate(object runtime.Object) field.ErrorList {
	switch o := object.(type) {
	case *core.Namespace:
		return corevalidation.ValidateNamespace(o)
	case *core.ServiceAccount:
		return corevalidation.ValidateServiceAccount(o)
	case *core.Secret:
		return corevalidation.ValidateSecret(o)
	case *core.ConfigMap:
		return corevalidation.ValidateConfigMap(o)
	case *core.Service:
		return corevalidation.ValidateServiceCreate(allocated(o))
	case *core.ResourceQuota:
		return corevalidation.ValidateResourceQuota(o)
	case *apps.DaemonSet:
		return appsvalidation.ValidateDaemonSet(o, corevalidation.PodValidationOptions{})
	case *apps.Deployment:
		return appsvalidation.ValidateDeployment(o, corevalidation.PodValidationOptions{})
	case *batch.CronJob:
		return batchvalidation.ValidateCronJobCreate(o, corevalidation.PodValidationOptions{})
	case *networking.NetworkPolicy:
		return networkingvalidation.ValidateNetworkPolicy(o, networkingvalidation.NetworkPolicyValidationOptions{})
	case *rbac.Role:
		return rbacvalidation.ValidateRole(o)
	case *rbac.RoleBinding:
		return rbacvalidation.ValidateRoleBinding(o)
	case *rbac.ClusterRole:
		return rbacvalidation.ValidateClusterRole(o, rbacvalidation.ClusterRoleValidationOptions{})
	case *rbac.ClusterRoleBinding:
		return rbacvalidation.ValidateClusterRoleBinding(o)
	case *admissionregistration.ValidatingAdmissionPolicy:
		return admissionvalidation.ValidateValidatingAdmissionPolicy(o)
	case *admissionregistration.ValidatingAdmissionPolicyBinding:
		return admissionvalidation.ValidateValidatingAdmissionPolicyBinding(o)
	}
	return field.ErrorList{field.InternalError(nil, fmt.Errorf("%T has no validation here", object))}
}

// An API server allocates addresses before it validates; those of a headless service follow from what it says.
func allocated(service *core.Service) *core.Service {
	if service.Spec.ClusterIP == core.ClusterIPNone {
		service.Spec.ClusterIPs = []string{core.ClusterIPNone}
	}
	return service
}

func withoutComments(document []byte) []byte {
	kept := [][]byte{}
	for _, line := range bytes.Split(document, []byte("\n")) {
		trimmed := bytes.TrimSpace(line)
		if !bytes.HasPrefix(trimmed, []byte("#")) && !bytes.Equal(trimmed, []byte("---")) {
			kept = append(kept, line)
		}
	}
	return bytes.Join(kept, []byte("\n"))
}
